"""To staff: what has become somebody's work. Numbers and amounts only, no names and no words of the parties."""

from __future__ import annotations

from core.letters.template import Table, Template, When

TEMPLATES = {
    ("case_assigned", "staff"): Template(
        "Case {case} is yours",
        (
            "You have been made the mediator of this case. If you have a tie to either party, please recuse yourself.",
            Table((("Case", "case"), ("In dispute", "amount"), ("Decide by", "decision_due_at?"))),
        ),
    ),
    ("case_taken", "staff"): Template(
        "Case {case} is no longer yours",
        (
            "{by} gave this case {to}. What you had begun to write about it is kept for you.",
            Table((("Case", "case"), ("In dispute", "amount"), ("Decide by", "decision_due_at?"))),
        ),
    ),
    ("case_decided_by_another", "staff"): Template(
        "{by} decided your case {case}",
        (
            "{by} recorded a decision in a case that is yours, and said that they knew so. The page of the case shows "
            "what was decided, and whether a second person still has to approve it.",
            Table((("Case", "case"), ("In dispute", "amount"))),
        ),
        tone="attention",
    ),
    ("case_escalated", "staff"): Template(
        "No decision in time: case {case} is with the administrators",
        (
            "The time for a decision has passed. From now on an administrator may decide this case, besides its "
            "mediator.",
            Table((("Case", "case"), ("In dispute", "amount"), ("Was due", "due_at?"))),
        ),
        tone="attention",
    ),
    ("decision_voided", "staff"): Template(
        "The decision about case {case} is void: decide again",
        (
            "{why} So it is not carried out.",
            When(
                "draft",
                ("What you chose and wrote is a draft again.",),
                ("The page of the case shows what was decided and written.",),
            ),
            Table((("Case", "case"), ("In dispute", "amount"))),
        ),
        tone="attention",
    ),
    ("proposal_returned", "staff"): Template(
        "Returned to you: {what}",
        (
            "{why} Your {noun} no longer waits for a second person, and nothing was done. If it is still right, "
            "someone who may can propose it again.",
            Table((("About", "what"),)),
        ),
        tone="attention",
    ),
    ("answer_missing", "staff"): Template(
        "{number} is neither approved nor disputed",
        (
            "The time to answer has passed and silence releases nothing here: the payer has written or complained, or "
            "has to confirm. Both parties were told. If they do not move, open a case.",
            Table((("Milestone", "number"), ("Held", "amount"), ("Was due", "answer_due_at?"))),
        ),
        tone="attention",
    ),
    ("roles_proposed", "staff"): Template(
        "Roles wait for a second administrator",
        (
            "{by} proposed roles for member of staff {number}. They are given when another administrator approves on "
            "the page People; you can also reject them there.",
            Table((("Member of staff", "number"), ("Roles", "roles"))),
        ),
    ),
    ("roles_given_alone", "staff"): Template(
        "Roles were given by one person alone",
        (
            "Fewer than two administrators worked here, so nobody could approve. Please make sure that this was meant; "
            "an administrator can take the roles away on the page People.",
            Table((("Member of staff", "number"), ("Roles", "roles"), ("Given by", "by"))),
        ),
        tone="attention",
    ),
    ("role_given_in_emergency", "staff"): Template(
        "A role was given in an emergency",
        (
            "One administrator gave it alone. Another administrator reviews it on the page People, and keeps or takes "
            "it; otherwise it ends by itself.",
            Table(
                (
                    ("Member of staff", "number"),
                    ("Role", "roles"),
                    ("Given by", "by"),
                    ("Reviewed until", "review_by"),
                )
            ),
        ),
        tone="attention",
    ),
    ("emergency_role_ended", "staff"): Template(
        "A role that was given in an emergency has ended",
        (
            "No other administrator reviewed it in time, so it was taken. Please look at what was done with it.",
            Table((("Member of staff", "number"), ("Role", "roles"), ("Given by", "by"))),
        ),
        tone="attention",
    ),
    ("many_revealed", "staff"): Template(
        "Many people were revealed by one colleague",
        (
            "More names than a day's work needs were revealed within an hour. The audit log has the reason of each; "
            "please ask what they were needed for.",
            Table((("Member of staff", "number"), ("People within an hour", "people"))),
        ),
        tone="attention",
    ),
    ("review_opened", "staff"): Template(
        "{review} waits for a risk review",
        (
            "The rules of risk ask that a person looks before this money moves. Nothing is released or paid out until "
            "the review is settled.",
            Table((("Review", "review"), ("Amount", "amount"), ("Reasons", "reasons"))),
        ),
        tone="attention",
    ),
    ("hold_end_reached", "staff"): Template(
        "Hold {hold} has reached its expected end",
        (
            "The hold is still in place and nothing lifts it by itself. On the page Holds, have it lifted by someone "
            "else, or give it a later end.",
            Table((("Hold", "hold"), ("Placed", "placed_at"), ("Expected end", "expected_end"))),
        ),
        tone="attention",
    ),
    ("day_not_closed", "staff"): Template(
        "{period} is not closed",
        (
            "The books are open from its first day on. The page Periods says what its close still needs.",
            Table((("Open from", "day"), ("Was to be closed by", "due_at"))),
        ),
        tone="attention",
    ),
    ("retention_due", "staff"): Template(
        "Retention run of {month}",
        (
            "The policy keeps some people no longer. The page Personal data says who is due, what keeps them "
            "nevertheless, and proposes the run; another person carries it out.",
            Table((("Month", "month"), ("People due", "people"))),
        ),
        tone="attention",
    ),
    ("legal_review_due", "staff"): Template(
        "Legal checklist to review: {item}",
        (
            "A signature of the legal checklist is to be reviewed. Payments stop where it lapses. On the page Policy, "
            "sign the item again with its document, or withdraw it.",
            Table((("Item", "item"), ("Counts in", "jurisdiction"), ("Until", "valid_until"))),
        ),
        tone="attention",
    ),
    ("hold_to_settle", "staff"): Template(
        "Hold {hold} stops the money of “{milestone}”",
        (
            When(
                "why",
                ("{why}",),
                (
                    "The payer complained after the time for a dispute had passed. Nothing is released until somebody "
                    "opens a case about it or lifts the hold; the complaint is on the page Holds.",
                ),
            ),
            Table((("Hold", "hold"), ("Milestone amount", "amount"))),
        ),
        tone="attention",
    ),
    ("client_funds_short", "staff"): Template(
        "{currency}: {short} of client funds is missing at Stripe",
        (
            "Stripe holds less than the desk owes to payers and payees. Automatic payouts in {currency} have stopped "
            "until finance or an administrator has looked and releases them on the page Overview.",
            Table(
                (
                    ("At Stripe, by Stripe", "at_stripe"),
                    ("Owed to others, by the ledger", "owed"),
                    ("Missing", "short"),
                    ("Read at", "looked_at"),
                    ("Possible cause", "causes"),
                )
            ),
        ),
        tone="attention",
    ),
    ("payment_converted", "staff"): Template(
        "Stripe converted a payment of {charged}",
        (
            "A payment was converted, because the platform's Stripe account did not settle in its currency. It is held "
            "in the agreed currency; a refund of it takes what Stripe converts it back for.",
            "Before it is released, put the amount into the platform's balance in the agreed currency. No further "
            "payment in it is accepted until finance or an administrator has looked at the account's settings at "
            "Stripe and confirmed on the command line that it is settled in again.",
            Table((("Paid", "charged"), ("At Stripe", "at_stripe"), ("Exchange rate", "exchange_rate?"))),
        ),
        tone="attention",
    ),
    ("payout_to_review", "staff"): Template(
        "Payout {payout} needs review",
        (
            When(
                "came_back",
                ("The payee's bank did not take this payout, and it came back.",),
                (
                    When(
                        "refused",
                        ("Stripe refused it, so nothing was sent to the payee's bank.",),
                        ("Whether it was sent is not known; the reason says why.",),
                    ),
                ),
            ),
            "Please look at it on the page Payouts: send it again, or offer other methods.",
            Table((("Payout", "payout"), ("Amount", "sent"), ("Reason", "reason"))),
        ),
        tone="attention",
    ),
}
