"""Which tests prove which rule, and its edge: the fourth column of docs/rules.md.

"rules/fees: the charge is …" is `test_the_charge_is_…` in `tests/rules/test_fees.py`; after a bracket, only with the
parameters that begin so. While such a test runs, `tests/conftest.py` watches whether the rule's own function is called,
and a test that does not call it fails: this table cannot claim what is not so.
"""

from __future__ import annotations

import inspect
from functools import cache
from types import CodeType

from core.rules import Rule

PROOFS: dict[str, tuple[str, ...]] = {
    # Setting up.
    "A bid makes one project": (
        "actions/standard_flow: the same bid accepted twice is one project",
        "actions/bids: the same bid on other terms is refused",
    ),
    "Default milestones by type and size": (
        "rules/schedule: default milestones sum to the total and each can be paid",
        "rules/schedule: a project for nothing has no milestones",
    ),
    "Size of a project": ("rules/schedule: the size follows from the total to the cent",),
    "The payer may adjust them": (
        "rules/schedule: a division that does not hold together is refused",
        "rules/schedule: milestones that are paid for stay as they are",
    ),
    "What a milestone must say": (
        "rules/schedule: everything that is wrong is said at once",
        "rules/schedule: home services need no deliverable",
    ),
    "Payment schedule": ("rules/schedule: the payment schedule adds up milestone by milestone",),
    "The schedule is shown and the payee told": (
        "actions/sequence_diagram: each arrow tells exactly whom it names [approved",
    ),
    "A selected quote is not an engagement": (
        "actions/standard_flow: nothing is paid before every part of the engagement is confirmed",
    ),
    "No payment before five preconditions": (
        "rules/release: nothing is paid while one of the five preconditions is missing",
        "rules/release: all five preconditions open the way",
        "actions/legal_fees: each missing precondition is named and nothing is paid",
    ),
    "Conflict check where it applies": (
        "rules/release: the conflict check concerns attorneys only",
        "actions/legal_fees: a craftsman is not asked for a conflict check",
    ),
    "Fee modes that are allowed": (
        "rules/schedule: hourly billing and trust accounts are refused with the reason",
        "actions/legal_fees: open ended hours and trust accounts are refused with the reason and leave nothing",
    ),
    "No payments before the legal checklist": (
        "rules/risk: whatever is not signed is named and keeps payments off",
        "rules/risk: all four switch payments on to their last day",
    ),
    "Each item is signed by compliance, with its document": (
        "actions/legal_checklist: a signature says who when and on which document and stays",
        "actions/legal_checklist: only compliance signs",
    ),
    # Paying.
    "The payer funds a milestone in its turn": (
        "actions/standard_flow: a milestone is funded only in its turn",
        "actions/when_the_provider_says_no: without a card there is nothing to charge",
    ),
    "Several milestones at once, where the project says so": (
        "actions/bids: several are funded at once each with its own charge",
        "actions/bids: all of them or none",
        "actions/bids: in turn only the next one is funded",
    ),
    "Nobody pays twice for one milestone": (
        "actions/when_the_provider_says_no: a payer does not pay twice while a charge is under way",
        "faults/two_at_once: paying twice at once is one charge",
    ),
    "Platform fee 2.5 %, paid by the payer": (
        "rules/fees: a thousand dollars costs the payer the fee and what the processor takes",
        "rules/fees: legal services take no platform fee",
    ),
    "Processor fee passed through": (
        "rules/fees: the charge is the smallest that leaves the net",
        "rules/fees: a processor that takes everything cannot be passed on",
    ),
    "What a charge settles is held": (
        "actions/standard_flow: the books follow a milestone from the charge to the bank",
        "actions/when_the_provider_says_no: a charge whose balance transaction comes later is booked when it is there",
    ),
    "Held until verified": (
        "rules/payment_states: the amounts have one name",
        "rules/payment_states: every amount has a name and the name says what is left",
    ),
    "Nine payment states": (
        "rules/payment_states: a change outside the table is refused",
        "rules/statuses: a payment state follows another only as the table says",
    ),
    "A declined card is tried again": (
        "rules/chargebacks: a soft decline is tried again later and later",
        "rules/chargebacks: four automatic tries are enough",
        "actions/timers: a timer fires at its instant not before and only once [first try of a card again",
    ),
    "A decline is told in a sentence": (
        "actions/cards_that_ask: what the bank refuses after it asked is declined with its reason",
        "rules/declines: of a card that is stolen no more is said than of any other",
    ),
    "A payer whom their bank asks has a day to confirm": (
        "actions/cards_that_ask: who does not confirm in time has not paid and cannot any more",
        "actions/cards_that_ask: a payer who is away is told by e mail and confirms later",
    ),
    "What a payer saves is charged later": (
        "actions/payment_method_setups: a card that was saved is charged later and its bank does not ask again",
        "actions/payment_method_setups: what the bank refuses to save is said and can be tried again",
    ),
    "The payer calls off what waits for them": (
        "actions/cards_that_ask: the payer calls it off and pays another way",
        "actions/cards_that_ask: who confirmed while it was called off has paid",
    ),
    "A debit is held when its bank has paid": (
        "actions/cards_that_ask: a debit is held when the bank has answered and not before",
    ),
    "The payer is notified of each decline": (
        "actions/card_retries: a card without money is tried four times with growing pauses and a letter each time",
    ),
    "A duplicate payment is returned": (
        "actions/duplicate_payments: a second payment is returned whole and the payer is told",
        "actions/duplicate_payments: the same news of a second payment returns it once",
    ),
    # Work and verification.
    "How a milestone moves": (
        "rules/transitions: a pair moves if it is in the table and is refused if it is not [milestone-",
        "rules/transitions: each branch of the payment sequence can be walked",
    ),
    "Work is submitted and the payer is asked": (
        "actions/standard_flow: each side acts for itself only",
        "actions/sequence_diagram: each arrow tells exactly whom it names [approved",
    ),
    "The payer approves": (
        "actions/standard_flow: each side acts for itself only",
        "actions/dispute_flow: a disputed milestone cannot be approved by hand or by silence",
    ),
    "Reminders after 72 hours, rising": (
        "rules/deadlines: reminders begin after 72 hours and then come every 24",
        "actions/timers: a timer fires at its instant not before and only once [second reminder",
        "actions/timers: silence is reminded of daily with a rising level until it approves",
    ),
    "Auto-approval after 7 days of silence": (
        "rules/deadlines: the completion notice starts three clocks for home services",
        "rules/deadlines: auto approval switched off never falls due",
        "actions/timers: a timer fires at its instant not before and only once [approval by silence",
    ),
    "Acceptance rule of a milestone": (
        "rules/deadlines: the acceptance rule says whether silence releases",
        "rules/deadlines: an unknown acceptance rule is refused",
        "actions/timers: a timer fires at its instant not before and only once [release after the days",
    ),
    "Stage fee after 72 hours without response or dispute": (
        "rules/deadlines: legal stages are released after 72 hours and disputable until then",
        "actions/legal_fees: a stage that was disputed in time is not released by silence",
    ),
    "What the payer says is a response": (
        "rules/deadlines: a word counts from after the notice to the last instant",
        "actions/verification_timeout: what the payer says is a response and silence approves nothing",
        "actions/verification_timeout: a stage fee is not released where the client has responded",
        "actions/verification_timeout: what others say is no response of the payer",
    ),
    "Until when the payer has to answer": (
        "rules/deadlines: every work that is submitted has a time to answer",
        "actions/verification_timeout: a client who never confirms is asked again and the money has a road",
    ),
    "Who responded is asked once more, and staff looks": (
        "actions/verification_timeout: what the payer says is a response and silence approves nothing",
        "actions/verification_timeout: a late complaint is a response until it is settled",
    ),
    "Consultation grace": (
        "actions/timers: a timer fires at its instant not before and only once [grace of a consultation",
        "actions/legal_fees: a consultation is released after its grace and not when it was disputed",
    ),
    "A timer is due from its instant on": (
        "rules/deadlines: a timer is due from its instant on and not a microsecond before",
    ),
    "Nothing fires twice, and a week is made good in order": (
        "faults/a_week_away: ten workers at the same instant do each of it once",
        "actions/timers: what a hold keeps from its time keeps nothing else from its own",
    ),
    # Releasing and paying out.
    "What is verified is released": (
        "actions/holds: an approval under a hold is kept and paid when the hold is lifted",
        "actions/timers: a timer fires at its instant not before and only once [approval by silence",
    ),
    "A payout follows the release": (
        "actions/standard_flow: the books follow a milestone from the charge to the bank",
        "actions/holds: a payee who withdraws by hand keeps the money payable",
    ),
    "Both are notified of the release": (
        "actions/sequence_diagram: each arrow tells exactly whom it names [approved",
    ),
    "How a payout moves": (
        "rules/transitions: a pair moves if it is in the table and is refused if it is not [payout-",
    ),
    "Withdrawal fee by method": (
        "rules/fees: a withdrawal costs by its method",
        "rules/fees: a withdrawal that its fee would eat is refused",
    ),
    "A payee chooses how to be paid": ("api/arrows: a payee chooses how to be paid",),
    "Failed payout to review, another method": (
        "actions/payout_review: a failed payout waits for a person and is sent again as another movement",
        "actions/payout_review: it takes a reason a fresh sign in and a payout in review",
    ),
    "The payee chooses another method": (
        "actions/payment_exceptions: a payout that flips is reviewed offered chosen and paid",
        "actions/payment_exceptions: only the payee chooses and only what was offered",
    ),
    "Open case blocks release": (
        "rules/release: every reason that blocks a release is named",
        "rules/release: the case that a decision resolves does not block it",
    ),
    "Only an unresolved case blocks": ("rules/release: only an unresolved case blocks",),
    "Manual hold": (
        "actions/holds: a hold needs a reason",
        "actions/holds: a hold stops a decision and says why",
    ),
    "Nothing is agreed that cannot be charged": (
        "rules/amount_limits: the limits of a milestone are where stripe stops to the step",
        "actions/bids: one cent and ninety trillion are refused at the bid",
        "actions/bids: a milestone that cannot be charged is refused when it is laid out",
    ),
    "No bank is promised less than it can be paid": (
        "rules/amount_limits: what is released is nothing or enough for a bank",
    ),
    "A payee who cannot be paid waits with the reason": (
        "actions/payee_accounts: a release waits for a payee who is not verified and goes by itself",
        "actions/payee_accounts: a payee who is stopped between release and payment is paid later",
    ),
    "Payouts to another bank wait": (
        "actions/bank_changes: payouts to another bank wait for the time of the policy and go there",
        "actions/bank_changes: the same bank again holds nothing and back again holds once more",
    ),
    "Two people decide about another bank": (
        "actions/bank_decisions: a refused bank is never paid also when it comes back and another one is",
        "actions/bank_decisions: it takes two people who may and one answer",
    ),
    "What failed at a bank goes to the one in its place": (
        "actions/replaced_banks: a payout that failed at a bank goes to the one in its place",
        "actions/replaced_banks: what failed for another reason waits for a person",
    ),
    "What a party had before stays": (
        "actions/bank_changes: old values stay and the same again changes nothing",
        "actions/bank_changes: what cannot change changes nothing",
    ),
    "A currency that the payee's bank takes": (
        "actions/payee_accounts: nothing is promised or paid in a currency that no bank of the payee takes",
        "actions/payee_accounts: a payee without any bank may be promised money",
    ),
    "The settlement currency is known before a promise": (
        "actions/settlement_currency: a bid in a currency that is not settled in is refused in one sentence",
        "actions/settlement_currency: what was agreed before is refused at adjusting and at funding",
        "actions/settlement_currency: as long as nothing is known nothing is promised",
    ),
    "Nobody lifts their own hold": (
        "actions/lift_preview: whoever placed a hold does not lift it even in sql",
    ),
    "Two people lift a large hold": (
        "actions/hold_lifts: above the threshold one person alone lifts nothing and two do",
        "actions/hold_lifts: at the threshold one person is enough and a proposal is refused",
        "actions/hold_lifts: a payees milestones count together",
    ),
    "A hold is lifted by whoever may": (
        "actions/holds: only compliance and administrators lift holds",
        "actions/holds: while one of two holds is left nothing is released",
    ),
    "Payout blocked at dispatch": (
        "actions/holds: a hold placed after the release stops the transfer at dispatch",
        "actions/holds: a hold placed after the transfer stops the payout",
    ),
    "Held too long": (
        "actions/deadlines_of_people: money counts as held too long from the instant of the 75th day",
    ),
    # Disputes.
    "Dispute within 5 days": (
        "rules/deadlines: a dispute is in time until the last instant of day five",
        "rules/deadlines: a microsecond later a complaint asks for a hold instead",
        "actions/deadlines_of_people: a dispute is heard to the last instant of the fifth day",
    ),
    "A later complaint asks for a hold": ("api/flows: a late complaint holds the money",),
    "A dispute stops the clocks and is forwarded": (
        "actions/dispute_flow: a disputed milestone cannot be approved by hand or by silence",
        "actions/sequence_diagram: each arrow tells exactly whom it names [contractor",
    ),
    "Details go to the payee": (
        "actions/sequence_diagram: each arrow tells exactly whom it names [contractor",
    ),
    "How a case moves": (
        "rules/transitions: a pair moves if it is in the table and is refused if it is not [case-",
    ),
    "Rework restarts every clock": (
        "actions/dispute_flow: rework settles the case and starts every clock anew",
        "actions/timers: the first reminder of a work done again is counted from the new notice",
    ),
    "A complaint can be withdrawn": (
        "actions/dispute_flow: a withdrawn complaint puts the milestone back with new clocks",
        "actions/dispute_flow: a complaint about work never begun is withdrawn to where it was",
    ),
    "The parties may settle it themselves": (
        "actions/settlement_proposals: an accepted offer divides the money and closes the case",
        "actions/settlement_proposals: nobody accepts or declines their own offer and no stranger any",
    ),
    "A settlement proposal is open for three days": (
        "actions/deadlines_of_people: an offer is accepted before its last instant only",
    ),
    "How a settlement proposal moves": (
        "rules/transitions: a pair moves if it is in the table and is refused if it is not [offer-",
    ),
    "Either party asks for mediation": ("api/flows: either party asks for mediation",),
    "A payee without an answer asks for mediation": (
        "actions/verification_timeout: a payee without an answer may have a mediator once the time is over",
    ),
    "Staff opens a case while all is held": (
        "actions/verification_timeout: a late complaint that is right is paid back",
        "actions/verification_timeout: what was approved under a hold can still be decided",
        "actions/verification_timeout: only mediators and administrators open a case",
        "actions/verification_timeout: a legal dispute that nobody takes further is taken to a mediator by staff",
    ),
    "What was given to either side is no case any more": (
        "actions/verification_timeout: once something was released no case is opened",
    ),
    "Mediation after 3 days": (
        "rules/deadlines: what a platform does not have is never due",
        "actions/timers: a timer fires at its instant not before and only once [mediation by itself",
    ),
    "A party is asked, and the case waits": (
        "actions/dispute_flow: a case waits for a party and goes on when it answers",
        "actions/casework: an answer cannot be due in the past or now",
    ),
    "No time to answer outlasts the time to decide": (
        "actions/casework: no time to answer outlasts the time to decide",
    ),
    "Another's case, or a pending answer, is asked about": (
        "actions/decisions: another mediators case is decided knowingly and they are told",
        "actions/decisions: over a pending answer one decides knowingly",
    ),
    "Nobody approves over unread words": (
        "actions/divisions: what came in after the last message on the screen is read first",
    ),
    "A document is answered by a document": (
        "actions/casework: a file answers both kinds of request",
        "actions/casework: words are no document",
    ),
    # Mediation and decisions.
    "Who mediates": (
        "rules/release: the least loaded mediator with the skill is chosen",
        "rules/release: whoever is chosen has no tie",
    ),
    "Who must not mediate": ("rules/release: a tie to either party keeps a mediator out",),
    "A case is reassigned": (
        "actions/bad_input: a case is not given to someone who is no mediator",
        "actions/casework: what the next one should know goes with the case",
    ),
    "A case is passed on when its mediator may not decide it any more": (
        "actions/dispute_flow: a case whose mediator may not decide it any more goes to another",
    ),
    "A recused mediator never gets the case again": (
        "actions/casework: whoever steps back loses the case to the next best and never gets it again",
        "actions/casework: stepping back needs a reason and a role",
    ),
    "The evidence is reviewed, on record": (
        "actions/evidence: opening shows a drawn picture and is on record",
        "actions/evidence: altered bytes are never shown and count as unopened",
    ),
    "Full release": (
        "rules/splits: a full release keeps the fee and refunds nothing",
        "rules/splits: nothing held cannot be divided",
    ),
    "Partial release": (
        "rules/splits: a partial release never loses or makes a minor unit",
        "rules/splits: a partial release of nothing of all or of more is refused",
        "rules/splits: one minor unit on either side is still a partial release",
    ),
    "Full refund": (
        "rules/splits: the platform pays the processor fee back only on grounds that are its to bear",
    ),
    "Split by items of the work": ("rules/items: what cannot be a division is refused",),
    "A plan is made before it is confirmed": (
        "actions/decisions: exactly the plan is posted and sent",
        "actions/decisions: whatever is chosen otherwise is another plan",
    ),
    "One decides, the other is notified": (
        "faults/two_at_once: of two mediators deciding one wins and the other is told who",
        "actions/bad_input: a plan that nobody saw is not confirmed",
    ),
    "How a decision moves": (
        "rules/transitions: a pair moves if it is in the table and is refused if it is not [decision-",
    ),
    "Second person": (
        "rules/release: a second person is asked for a reason",
        "rules/release: a large sum in small steps needs a second person",
    ),
    "Decisions of a day are counted together": (
        "faults/two_at_once: decisions for one party at the same instant count each other",
    ),
    "What one party gets in a day is summed up": (
        "actions/decisions: what one party gets in a day is summed up",
        "actions/decisions: after a day the sum begins anew",
    ),
    "Maker is not checker": (
        "rules/release: maker and checker are two people",
        "actions/decisions: maker and checker are two people",
    ),
    "An approval is of one plan": (
        "rules/release: an approval is of one plan and no other",
        "actions/decisions: another hash is not approved",
    ),
    "Cooling-off": ("rules/release: a decision is executed from the end of its cooling off on",),
    "Executed as planned, or void": (
        "actions/decisions: a case that changed while cooling off voids the decision",
        "actions/holds: a hold keeps a decision that is cooling off from being carried out",
    ),
    "Deadlock to the administrators": (
        "actions/timers: a timer fires at its instant not before and only once [deadlock",
    ),
    "Administrators take up a deadlock": (
        "actions/dispute_flow: nobody deciding for seven days brings the case to the administrators",
    ),
    "A decision is withdrawn before it is carried out": (
        "actions/divisions: messages while it cools off void nothing and a mediator may",
    ),
    "A decision is corrected by a linked case": (
        "actions/corrections: a correction is a case of its own linked to the first and in other hands",
        "actions/corrections: only a decision that was carried out is corrected and only by those who work on cases",
    ),
    "A correction is closed once, with a finding": (
        "actions/corrections: it is closed once with a finding and notes",
    ),
    # Refunds.
    "A ground carries its own outcomes": ("rules/splits: a ground carries only its own outcomes",),
    "Outcome is not guaranteed": (
        "rules/splits: dissatisfaction with delivered work refunds only by an override",
        "actions/decisions: an override needs a second person",
    ),
    "Who bears the processor fee": (
        "rules/splits: the platform pays the processor fee back only on grounds that are its to bear",
        "actions/dispute_flow: for a no show the platform bears the processors fee too",
    ),
    "Four references of a refund": ("rules/splits: a refund cites all four references",),
    "How a refund moves": (
        "rules/transitions: a pair moves if it is in the table and is refused if it is not [refund-",
    ),
    "A refund that fails reopens the debt": (
        "actions/when_the_provider_says_no: a refund that fails leaves the debt and asks for a person",
        "actions/when_the_provider_says_no: a refund that comes back after it succeeded reopens the debt",
    ),
    "A refund is sent again under another key": (
        "actions/refund_retries: a refund that came back can be sent again under another key",
        "actions/refund_retries: a call that is not in review is not sent again",
    ),
    "A refund goes another way, by two people": (
        "actions/payment_exceptions: a refund that came back is returned from our bank by two people",
    ),
    "A debt is paid in one way at a time": (
        "actions/payment_exceptions: what is recorded as sent from our bank is not sent again by stripe",
        "actions/payment_exceptions: of two people who take a road at once one is refused",
    ),
    "Staff withdraw an offer to the payee before they act": (
        "actions/payment_exceptions: staff send it again only when the offer to the payee is withdrawn",
    ),
    "What differs has one class, which follows from both sides": ("rules/breaks: each class has its facts",),
    "A break lives across runs until it is explained": (
        "actions/breaks: two runs see one break and its class follows what is known",
        "actions/breaks: what agrees later is closed by the run that finds it so and opens again",
    ),
    "A bank's line is matched once, whole, and never guessed": (
        "actions/bank_matching: whatever is stated and booked matches sum and repeat",
        "actions/bank_matching: amount and date only where nothing else could be meant",
    ),
    "What a bank's lines differ by from their match is explained": (
        "actions/bank_matching: by hand the sums agree or the difference is explained",
    ),
    "A match by hand is undone while its period is open": (
        "actions/undone_matches: its breaks are open again with the reason and the difference is reversed",
        "actions/undone_matches: in a closed period it stays and the database says so too",
    ),
    "What the bank never had is reversed by two people": (
        "actions/reversed_postings: two people reverse it the break is closed and no run sees either posting",
        "actions/reversed_postings: the database posts no reversal that is not its journals other side",
    ),
    "A line that Stripe states otherwise is booked by its difference": (
        "actions/stripe_differences: a fee that differs is booked by two people and then both sides agree",
        "actions/stripe_differences: a split that differs alone has nothing to book",
    ),
    "A rule for bank charges proposes, and books nothing by itself": (
        "actions/bank_charge_rules: a rule books nothing one person submits what it recognises and another approves",
    ),
    "Payees' accounts are compared line by line": (
        "actions/breaks: each line of a payees account that the memorandum book does not have is a break",
        "actions/breaks: what the memorandum book has and the payees account has not is a break",
        "actions/breaks: an account that could not be read closes none of its breaks",
    ),
    "A platform payout is the sum of its parts": (
        "actions/platform_payouts: a payout is charges less refunds fees and chargebacks with reserves and what stayed",
    ),
    "An amount in suspense has one explanation at a time": (
        "actions/duplicate_payments: what one person said it was is not replaced in silence",
    ),
    "A refund made by hand that was the one owed is not sent again": (
        "actions/external_movements: a refund by hand that was the one owed is decided and not sent again",
    ),
    "What left Stripe outside the desk stops its milestone": (
        "actions/external_movements: a full refund by hand is on the case and no decision is taken",
        "actions/external_movements: work that is approved is not paid from money that has left",
    ),
    # Chargebacks and debts.
    "A chargeback freezes": ("rules/chargebacks: only an undecided or unborne chargeback freezes",),
    "What is closed stays closed": ("rules/chargebacks: what is closed is not opened again by older news",),
    "Lost while held": (
        "rules/chargebacks: what is held bears first then the unearned fee and never more than is there",
    ),
    "Lost after release": (
        "rules/chargebacks: after a release due refunds bear first then the payee then the fee",
    ),
    "An answer to the bank, in time": (
        "rules/chargebacks: an answer is taken only where one is wanted",
        "actions/chargeback_evidence: the banks last moment counts inclusive",
    ),
    "Two people answer a bank": (
        "actions/chargeback_evidence: a second person sends it to the bank",
        "actions/chargeback_evidence: mediators do not answer banks and nobody does without signing in anew",
    ),
    "What wins a chargeback": (
        "rules/chargeback_checklists: what is decisive and missing is named until one of its fields is filled",
    ),
    "What a bank takes at most": ("rules/chargebacks: files that are too much together are refused",),
    "What cannot be undone is typed first": (
        "rules/irreversible: only the reference itself confirms what cannot be undone",
    ),
    "Two people accept a chargeback": (
        "actions/chargeback_acceptance: two people give in and the loss is booked at once",
        "actions/chargeback_acceptance: what is decided is not given up",
    ),
    "A debt is set off by hand against what is payable and not sent": (
        "actions/set_offs: a debt is set off against money that waits and the rest goes on as it would",
        "actions/set_offs: what stops a release stops it too and says so",
    ),
    "A payee's debt is set off against later releases": (
        "actions/chargebacks: a debt is set off against later releases",
        "actions/chargebacks: a payee who withdraws by hand pays from what was not withdrawn",
    ),
    "A transfer is reversed": (
        "actions/reversals: money on the payees balance is taken back and settles the debt",
        "actions/reversals: only the debt is taken back and the rest can be paid out",
    ),
    "Unexplained money": ("rules/chargebacks: amounts cancel each other out or are not settled so",),
    "Two people explain it": ("actions/duplicate_payments: one person says what it was and another agrees",),
    "Every type of statement line is handled": (
        "actions/statement_matching: what is newer than the list goes by its category and else to a person",
    ),
    # Risk.
    "Manual review on risk": (
        "rules/risk: each cause opens a review from its edge on",
        "rules/risk: nothing odd needs no review",
    ),
    "High value": ("rules/release: high value begins one cent above the threshold",),
    "A severe content event blocks": (
        "rules/risk: a report weighs by its kind and outcome and only a severe content event is severe at once",
        "actions/risk: a content event that is not severe stops nothing",
    ),
    "Repeated contact is counted over a window": (
        "rules/risk: attempts count together within the window only",
        "rules/risk: what was looked at counts again only with a new attempt",
        "actions/settling_reports: attempts each settled before the next still open a review",
        "actions/settling_reports: attempts that were dismissed or are older than the window open none",
    ),
    "What settling a report does is said before it is done": (
        "actions/settling_reports: settling does what was said of every kind and nothing else",
        "actions/settling_reports: whoever was shown other consequences is refused",
    ),
    "Reports by the parties and the marketplace": (
        "actions/risk: only the parties of a project report about it and say what happened",
        "actions/risk: a party cannot pass a report off as a content event",
    ),
    "Practice in another state": ("actions/risk: a practice is flagged once and resolved once",),
    "A review ends with its causes": (
        "rules/risk: a review ends when every report is settled and only looked at is what was upheld",
        "actions/settling_reports: a review is not cleared while one of its reports is open not even in sql",
        "actions/risk: a review cannot be settled while its causes stand",
    ),
    # Going on, and the end.
    "Next milestone": ("rules/transitions: a project follows its milestones",),
    "The payer is asked to fund it": (
        "actions/sequence_diagram: each arrow tells exactly whom it names [approved",
    ),
    "Final completion": ("rules/transitions: a project follows its milestones",),
    "Reviews are asked for": ("actions/ratings: both are asked and nobody is thanked yet",),
    "Each side reviews once": (
        "actions/ratings: each party reviews once and nobody else at all",
        "actions/deadlines_of_people: a review is taken until the reviews are opened",
    ),
    "Reviews hidden until both are in": (
        "rules/risk: reviews open with the second or when 14 days are over",
        "actions/timers: a timer fires at its instant not before and only once [hidden reviews",
    ),
    "Final rating": (
        "actions/ratings: a rating is rounded half up to a tenth",
        "actions/ratings: a rating is the mean of every open review",
    ),
    # Records.
    "Every change leaves an entry": (
        "actions/records_asked_for: each log has its entries and no others",
        "actions/records_asked_for: the log of administration names reports",
    ),
    "Receipt of a payment": (
        "actions/documents: a payment a release and a refund each have one with the amounts that moved",
    ),
    "A receipt bears the scope of its day": (
        "actions/documents: a full release refunds nothing and a receipt bears the scope of its day",
    ),
    "Reading receipts is on record": ("actions/documents: a download is noted and is for staff",),
    "Tax included in an amount": ("actions/documents: tax and net are the whole",),
    "A file is known by its hash": (
        "actions/documents: a file that was handed out is known again and a changed one is not",
    ),
    "The record is proved": (
        "audit/tampering: an untouched record is proved",
        "audit/tampering: a change of any column is found and named",
    ),
    "Each party is notified": (
        "actions/sequence_diagram: each arrow tells exactly whom it names [approved",
        "actions/notifications: a key is told once",
    ),
    "A party chooses its letters": (
        "actions/letters_together: what the rules ask for cannot be muted and the reason is said",
        "actions/letters_together: only the party chooses and only what there is",
    ),
    # House.
    "Who may do what": (
        "rules/permissions: a role may do what the table gives it and nothing else",
        "actions/bad_input: only mediators decide",
    ),
    "A party acts for itself": ("rules/permissions: a party acts for itself only",),
    "Signed in a moment ago": (
        "rules/permissions: a fresh sign in lasts five minutes to the microsecond",
        "actions/deadlines_of_people: money moves only within five minutes of signing in",
    ),
    "A session ends": (
        "actions/deadlines_of_people: a session ends after 15 idle minutes and after 8 hours whatever happens",
    ),
    "A profile without gaps": (
        "policy: a profile that leaves a gap or contradicts itself is refused",
        "policy: switching auto approval off is allowed with a warning",
    ),
    "Two people change the policy": (
        "actions/policy_change: two administrators publish a version and only new projects live under it",
        "actions/policy_change: whoever proposes does not approve not even in sql",
    ),
    "Every status has its table": ("rules/statuses: a pair that is not in the table is refused",),
    "Retry with exponential backoff": (
        "rules/retries: the wait is between nothing and the longest for its try",
        "rules/retries: the jitter is full from nothing to the longest",
    ),
    "A call is written down before it is made": (
        "jobs: an operation is written with the job that sends it",
        "jobs: an operation key with other contents is refused",
    ),
    "All of it or nothing": (
        "ledger/journal_store: a rolled back action leaves nothing",
        "ledger/journal_store: a key cannot be used for something else",
    ),
    "Stripe's own balance covers what is owed to others": (
        "actions/client_funds: a sweep by hand stops payouts tells those who can act and breaks the law",
        "actions/client_funds: a look that is old covers nothing",
    ),
    "Payouts stop while client funds are short": (
        "actions/client_funds: a person who has looked lets payouts go on until more is missing",
        "actions/client_funds: once it was all there again any shortage stops",
    ),
    "Reconciled every day": (
        "actions/daily_reconciliation: a day is reconciled once when it is over and not a microsecond before",
        "actions/daily_reconciliation: days that nobody worked are one run up to last midnight",
    ),
    "Money moves once whatever the answer": (
        "faults/provider_trouble: money moves once whatever happens to the answer",
    ),
    "News of the provider in any order": (
        "faults/webhooks_in_any_order: the books are the same however the news come",
        "faults/webhooks_in_any_order: a replayed event changes nothing",
    ),
    "One row that breaks stops no other": (
        "faults/poisoned_work: an event that cannot be used fails by itself and the next is applied",
        "faults/poisoned_work: a loop goes on after whatever one row raises and ends where the database is away",
    ),
    "Reading is recorded, and no drawing again": (
        "actions/readings: a page that is drawn again is no other reading",
    ),
    "Each hour of reading is an entry of the log": (
        "actions/readings: an hour that is over is one entry of each colleague",
        "actions/readings: two workers write one entry",
    ),
    "Who people are is masked by default": (
        "rules/masking: what is not in the table is masked",
        "pages/masks: no page says who somebody is",
    ),
    "A name is revealed with a reason, for a while": (
        "actions/reveals: it shows this party in this session for a while",
        "actions/reveals: without a reason nobody is revealed",
    ),
    "Many revealed are an alarm": (
        "rules/masking: an alarm is raised once when it becomes many",
        "actions/reveals: many within an hour are an alarm and everybody who watches is told once",
    ),
    "What waits too long is seen": (
        "queries/health: the oldest that waits is seen however often it was tried",
        "pages/operation_retry: an event that has waited for an hour rings on the overview",
    ),
    "An id is checked before it is part of an address": (
        "gateways/stripe_events: what is no id becomes part of no address",
        "gateways/stripe_events: every question and every call that takes an id checks it before anything is sent",
    ),
    "Words from outside are kept in one way": (
        "rules/outside_words: a line is kept in one way",
        "api/words_from_outside: a party with words that cannot be used is refused",
    ),
    "Every invariant is asked": (
        "queries/invariants: who breaks a law behind the back of the desk is found",
    ),
    "Batched where not urgent": (
        "rules/notifications: a deadline less than 24 hours after the mail makes it urgent",
        "rules/notifications: what is urgent goes at once whatever its reader wants",
        "actions/letters_together: what is not urgent waits and goes in one mail",
    ),
}


def test_of(proof: str) -> str:
    """As pytest names it, without the end of its parameters."""
    place, _, sentence = proof.partition(": ")
    folder, _, name = place.rpartition("/")
    words, bracket, parameters = sentence.partition(" [")
    path = f"tests/{folder}/test_{name}.py" if folder else f"tests/test_{name}.py"
    return f"{path}::test_{words.replace(' ', '_')}{bracket.strip()}{parameters}"


@cache
def _tests() -> tuple[tuple[str, str], ...]:
    return tuple((rule, test_of(proof)) for rule, proofs in PROOFS.items() for proof in proofs)


def rules_proved_by(node: str) -> set[str]:
    """The rules whose proof is this test, named as pytest names it with its parameters."""
    return {
        rule
        for rule, test in _tests()
        if node == test or node.startswith(test if "[" in test else f"{test}[")
    }


def code_of(rule: Rule) -> CodeType:
    """The rule's own function, as a frame that runs it names it."""
    code: CodeType = inspect.unwrap(rule.resolve()).__code__
    return code
