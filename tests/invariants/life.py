"""What people, banks, Stripe and time may do to a desk, step by step: most of it is refused, the rest moves money.

Each step is drawn by name and by a seed: who acts, on what, how much. One in ten is nobody's business to do. A step
that is refused must leave every row of every table as it was.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from sqlalchemy import select

from core.actions.cases import conversation, mediator_assignment, recusal, settlement_proposals, staff_opening
from core.actions.cases import disputes as dispute
from core.actions.chargebacks import chargeback_evidence
from core.actions.debts import set_offs
from core.actions.decisions import approvals, confirmation
from core.actions.funding import fund, fund_several
from core.actions.milestones import projects, ratings, verification
from core.actions.payouts import method_offers, payout_review
from core.actions.risk import holds, practice_flags, reports, risk_reviews
from core.actions.staff import install, policy_change
from core.db import Database
from core.errors import DeskError
from core.money import Money
from core.policy import OFFERED, Platform, WithdrawalMethod
from core.processes import reconciliation
from core.queries import set_offs as shown
from core.records import (
    Case,
    Chargeback,
    Decision,
    Hold,
    Milestone,
    PaymentOrder,
    Payout,
    PolicyProposal,
    PracticeFlag,
    Project,
    Report,
    RiskReview,
    SettlementProposal,
)
from core.rules.cases import DisputeReason
from core.rules.cautions import Caution
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.permissions import SYSTEM, Actor, Role
from core.rules.projects import Funding
from core.rules.reports import ReportKind, ReportOutcome, Severity, Source
from core.rules.risk import ReviewOutcome
from tests import builders
from tests.actions.stripe_events import told_by_webhook
from tests.db_snapshot import everything
from tests.sandbox_desk import Market, as_party

Result = TypeVar("Result")
CARDS = ("pm_card_bypassPending", "pm_card_visa", "pm_card_chargeDeclinedInsufficientFunds")
TROUBLES: tuple[dict[str, Any], ...] = (
    {"kind": "429"},
    {"kind": "drop"},
    {"kind": "drop", "when": "after"},
    {"kind": "500", "when": "after"},
)
MOVES_MONEY = ("/v1/payment_intents", "/v1/refunds", "/v1/transfers", "/v1/payouts", "/v1/*")
ENDINGS = (
    (DecisionOutcome.FULL_RELEASE, Ground.WORK_DELIVERED),
    (DecisionOutcome.PARTIAL_RELEASE, Ground.PARTIAL_WORK),
    (DecisionOutcome.FULL_REFUND, Ground.PROVIDER_NO_SHOW),
    (DecisionOutcome.FULL_REFUND, Ground.OUTCOME_DISSATISFACTION),
)
KINDS = (
    ("home_services", "KITCHEN", "STAGED", "USD"),
    ("legal_services", "DOCUMENT_REVIEW", "STAGED", "USD"),
    ("home_services", "ROOFING", "STAGED", "JPY"),
    ("legal_services", "CONSULTATION", "CONSULTATION_FIXED", "USD"),
)
MOST_PROJECTS = 7
TRIES = 8


class NothingThere(DeskError):
    """There is none of these yet."""


@dataclass
class Life:
    """`done` counts what was carried out and what was refused, by name; `moved`: something may have changed."""

    market: Market
    owner: Database
    draw: random.Random = field(default_factory=random.Random)
    people: dict[int, tuple[int, int]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    known: dict[str, tuple[int, str]] | None = None
    moved: bool = True
    goes_on_after: ClassVar[type[DeskError]] = NothingThere
    """After which refusal another thing comes to mind; any other ends the step."""

    def begin(self, seed: int, kinds: Sequence[tuple[str, str, str, str]] = KINDS) -> None:
        """Projects on two platforms in two currencies, each with people and a way to be paid out of its own."""
        self.draw = random.Random(seed)
        self.market.pay_in(500_000)
        self.market.pay_in(500_000, "JPY")
        second = {"issuer": "demo", "subject": "abe", "name": "Abe Ito", "email": "abe@example.com"}
        row = self.market.act(install.add_staff, SYSTEM, **second, roles=(Role.ADMINISTRATOR,))
        self.market.staff["abe"] = row.id
        self.market.roles["abe"] = frozenset({Role.ADMINISTRATOR})
        for kind in kinds:
            self.agrees(kind)

    def step(self, name: str, seed: int) -> None:
        """This thing, or where there is nothing to do it to, another one that comes to mind."""
        self.draw = random.Random(seed)
        for _ in range(TRIES):
            try:
                self.things()[name][0](self)
                self.done[name] += 1
                return
            except self.goes_on_after:
                name = self.draw.choice(NAMES)
            except DeskError as refusal:
                self.done[f"{name}: {refusal.code}"] += 1
                return

    def things(self) -> Mapping[str, tuple[Callable[[Any], None], int]]:
        """What may come to mind, by name."""
        return THINGS

    def act(self, action: Callable[..., Result], actor: Actor, **arguments: Any) -> Result:
        """One action, or its refusal, which changes nothing at all."""
        before = self.known or everything(self.owner)
        try:
            result = self.market.act(action, actor, **arguments)
        except DeskError:
            self.known = everything(self.owner)
            changed = {name for name in self.known if self.known[name] != before[name]}
            assert changed == set(), f"{action.__name__} was refused and changed {changed}"
            raise
        self.moves()
        return result

    def moves(self) -> None:
        self.known, self.moved = None, True

    # -- who and what --

    def milestone(self, *statuses: str) -> Milestone:
        """One that it fits, or (one in ten) any."""
        every = self.market.all(Milestone)
        found: Milestone = self.chosen(
            every if self.draw.random() < 0.1 else [each for each in every if each.status in statuses]
        )
        return found

    def payer(self, milestone: Milestone) -> Actor:
        return self._side(milestone, 0)

    def payee(self, milestone: Milestone) -> Actor:
        return self._side(milestone, 1)

    def _side(self, milestone: Milestone, side: int) -> Actor:
        """The right party, or (one in twenty) the wrong one."""
        wrong = self.draw.random() < 0.05
        return as_party(self.people[milestone.project_id][1 - side if wrong else side])

    def either(self, milestone: Milestone) -> Actor:
        return as_party(self.draw.choice(self.people[milestone.project_id]))

    def staff(self, *fitting: str) -> Actor:
        """One of these, or (one in ten) anybody."""
        anybody = not fitting or self.draw.random() < 0.1
        return self.market.as_staff(self.draw.choice(tuple(self.market.staff) if anybody else fitting))

    def one(self, record: type[Any], **fitting: Any) -> Any:
        every = self.market.all(record)
        wanted = [each for each in every if all(getattr(each, k) == v for k, v in fitting.items())]
        return self.chosen(every if self.draw.random() < 0.1 else wanted)

    def case(self) -> tuple[Case, Milestone]:
        case = self.one(Case, status=self.draw.choice(("OPEN", "UNDER_REVIEW", "WAITING_PARTY")))
        return case, self.market.get(Milestone, case.milestone_id)

    def paid(self) -> list[PaymentOrder]:
        wanted = select(PaymentOrder).where(PaymentOrder.stripe_payment_intent.is_not(None))
        ordered = wanted.order_by(PaymentOrder.milestone_id)
        return self.market.read(lambda session: list(session.scalars(ordered)))

    def chosen(self, found: list[Any]) -> Any:
        if not found:
            raise NothingThere()
        return self.draw.choice(found)

    # -- agreeing and paying --

    def agrees(self, kind: tuple[str, str, str, str] | None = None) -> None:
        if len(self.people) >= MOST_PROJECTS:
            raise NothingThere()
        platform, project_type, fee_mode, currency = kind or self.draw.choice(KINDS)
        method = self.draw.choice(OFFERED)
        self.market.newcomers(currency, card=self.draw.choice(CARDS[:2]), platform=platform, method=method)
        sizes = [self.draw.randrange(20_000, 700_000) for _ in range(self.draw.randrange(1, 4))]
        amounts = [Money(size, currency) for size in sizes]
        project = self.market.agreed(*amounts, project_type=project_type, fee_mode=fee_mode)
        self.people[project.id] = (self.market.payer_id, self.market.payee_id)
        self.moves()

    def pays(self) -> None:
        what = self.milestone("AWAITING_FUNDING")
        card = self.draw.choice(CARDS)
        self.act(fund.fund, self.payer(what), milestone_id=what.id, payment_method=card)

    def pays_ahead(self) -> None:
        project = self.one(Project)
        who = as_party(self.people[project.id][0])
        if self.draw.random() < 0.7:
            self.act(projects.choose_funding, who, project_id=project.id, funding=Funding.AHEAD)
        parts = [each.id for each in self.market.milestones(project.id)][: self.draw.randrange(1, 4)]
        self.act(fund_several.fund_several, who, project_id=project.id, milestone_ids=parts)

    # -- working, accepting, disputing --

    def submits(self) -> None:
        what = self.milestone("FUNDED")
        self.act(verification.submit, self.payee(what), milestone_id=what.id)

    def approves(self) -> None:
        what = self.milestone("PENDING_VERIFICATION")
        self.act(verification.approve, self.payer(what), milestone_id=what.id)

    def disputes(self) -> None:
        what = self.milestone("PENDING_VERIFICATION", "FUNDED")
        reason = self.draw.choice(list(DisputeReason))
        self.act(dispute.open_dispute, self.payer(what), milestone_id=what.id, reason=reason, details="No.")

    def complains_late(self) -> None:
        what = self.milestone("PENDING_VERIFICATION")
        self.act(holds.complain, self.payer(what), milestone_id=what.id, reason="It leaks.")

    def reworks(self) -> None:
        what = self.milestone("DISPUTED")
        self.act(dispute.resubmit, self.payee(what), milestone_id=what.id)

    def withdraws(self) -> None:
        what = self.milestone("DISPUTED")
        self.act(dispute.withdraw, self.payer(what), milestone_id=what.id)

    def calls_a_mediator(self) -> None:
        what = self.milestone("DISPUTED", "PENDING_VERIFICATION")
        self.act(dispute.ask_mediation, self.either(what), milestone_id=what.id)

    def writes(self) -> None:
        what = self.milestone("IN_MEDIATION", "DISPUTED", "PENDING_VERIFICATION")
        self.act(conversation.say, self.either(what), milestone_id=what.id, body="Listen.")

    def offers(self) -> None:
        case, what = self.case()
        share = Money(self.draw.randrange(0, what.amount_minor + 2), what.currency)
        self.act(settlement_proposals.propose, self.either(what), case_id=case.id, release=share)

    def answers_an_offer(self) -> None:
        offer = self.one(SettlementProposal, status="OPEN")
        what = self.market.get(Milestone, self.market.get(Case, offer.case_id).milestone_id)
        how = self.draw.choice(
            (
                settlement_proposals.accept,
                settlement_proposals.accept,
                settlement_proposals.decline,
                settlement_proposals.withdraw,
            )
        )
        self.act(how, self.either(what), proposal_id=offer.id)

    # -- mediating --

    def opens_a_case(self) -> None:
        what = self.milestone("FUNDED", "PENDING_VERIFICATION", "VERIFIED", "DISPUTED")
        self.act(
            staff_opening.by_staff, self.staff("mia", "ada"), milestone_id=what.id, reason="Nobody moves."
        )

    def hands_over(self) -> None:
        case, _ = self.case()
        to = self.draw.choice((None, self.market.staff["mia"], self.market.staff["max"]))
        self.act(mediator_assignment.assign, self.staff(), case_id=case.id, staff_id=to)

    def steps_back(self) -> None:
        case, _ = self.case()
        self.act(recusal.recuse, self.staff("mia", "max"), case_id=case.id, reason="We are neighbours.")

    def asks(self) -> None:
        case, what = self.case()
        self.act(
            conversation.ask,
            self.staff("mia", "max"),
            case_id=case.id,
            party_id=self.either(what).id,
            question="When?",
            answer_due_at=self.market.now + timedelta(hours=self.draw.randrange(-1, 60)),
        )

    def answers(self) -> None:
        case, what = self.case()
        self.act(conversation.answer, self.either(what), case_id=case.id, body="On Monday.")

    def decides(self) -> None:
        case = self.one(Case, status="UNDER_REVIEW")
        milestone = self.market.get(Milestone, case.milestone_id)
        outcome, ground = self.draw.choice(ENDINGS)
        draft = confirmation.Draft(
            case_id=case.id,
            outcome=outcome,
            ground=ground,
            reasons=builders.REASONS,
            release=Money(self.draw.randrange(1, milestone.amount_minor + 2), milestone.currency),
            references=frozenset(Reference) if self.draw.random() < 0.9 else frozenset(),
            override=True,
        )
        actor = self.staff("mia", "max")
        plan, _ = self.act(confirmation.preview, actor, draft=draft)
        if self.draw.random() < 0.2:
            self.writes()
        intent = f"life-{self.market.now.isoformat()}-{case.id}"
        known = tuple(Caution) if self.draw.random() < 0.8 else ()
        self.act(confirmation.confirm, actor, draft=draft, plan_hash=plan.hash, intent=intent, known=known)

    def second_person(self) -> None:
        decision = self.one(Decision, status="AWAITING_APPROVAL")
        who, fate = self.staff("ada", "fay"), self.draw.random()
        if fate < 0.2:
            self.act(approvals.send_back, who, decision_id=decision.id, note="Look again.")
        elif fate < 0.3:
            mediator = self.staff("mia", "max")
            self.act(approvals.withdraw, mediator, decision_id=decision.id, reason="Too quick.")
        else:
            seen = 2**53 if self.draw.random() < 0.8 else 0
            given = {"decision_id": decision.id, "plan_hash": decision.plan_hash, "seen": seen}
            self.act(approvals.approve, who, **given)

    # -- stopping and letting go --

    def stops(self) -> None:
        what = self.milestone("FUNDED", "PENDING_VERIFICATION", "IN_MEDIATION", "VERIFIED")
        self.act(holds.place, self.staff(), milestone_id=what.id, reason="A report.")

    def lets_go(self) -> None:
        held = self.one(Hold, released_at=None)
        self.act(holds.lift, self.staff("cora", "ada"), hold_id=held.id, reason="Settled.")

    def reports(self) -> None:
        what = self.milestone("FUNDED", "PENDING_VERIFICATION", "IN_MEDIATION")
        by_rule = self.draw.random() < 0.5
        self.act(
            reports.file,
            SYSTEM if by_rule else self.either(what),
            project_id=what.project_id,
            milestone_id=what.id,
            kind=self.draw.choice(list(ReportKind)),
            details="A telephone number.",
            severity=self.draw.choice(list(Severity)),
            source=Source.CONTENT_RULE if self.draw.random() < 0.5 else Source.PERSON,
        )

    def flags(self) -> None:
        project = self.one(Project, platform="legal_services")
        where = {"licensed_in": "OR", "needed_in": "WA"}
        self.act(practice_flags.flag, SYSTEM, project_id=project.id, **where)

    def settles(self) -> None:
        """Reports first, then flags, then the reviews that were opened for them, as a person in compliance does."""
        who = self.staff("cora")
        for report in self.market.all(Report):
            if report.settled_at is None:
                outcome = self.draw.choice(list(ReportOutcome))
                self.act(reports.settle, who, report_id=report.id, outcome=outcome, note="Read.")
        for flag in self.market.all(PracticeFlag):
            if flag.resolved_at is None:
                self.act(practice_flags.resolve, who, flag_id=flag.id, resolution="A partner signs.")
        for review in self.market.all(RiskReview):
            if review.settled_at is None:
                how = ReviewOutcome.CLEARED if self.draw.random() < 0.8 else ReviewOutcome.HELD
                self.act(risk_reviews.settle, who, review_id=review.id, outcome=how, note="Known to us.")

    # -- money's other roads --

    def sends_again(self) -> None:
        payout = self.one(Payout, status="ADMINISTRATIVE_REVIEW")
        self.act(
            payout_review.retry,
            self.staff("fay", "ada"),
            payout_id=payout.id,
            reason="Once more.",
            anyway=True,
        )

    def another_way(self) -> None:
        payout = self.one(Payout, status="ADMINISTRATIVE_REVIEW")
        ways = [WithdrawalMethod.STANDARD, WithdrawalMethod.INSTANT]
        who = self.staff("fay", "ada")
        self.act(method_offers.offer, who, payout_id=payout.id, methods=ways, reason="The bank said no.")
        method = self.draw.choice(ways)
        self.act(method_offers.choose, as_party(payout.party_id), payout_id=payout.id, method=method)

    def charges_back(self) -> None:
        self.moves()
        disputed = {each.milestone_id for each in self.market.all(Chargeback)}
        order = self.chosen([each for each in self.paid() if each.milestone_id not in disputed])
        self.market.control.set_clock(self.market.now)
        number = self.market.control.dispute(order.stripe_payment_intent)
        told_by_webhook(self.market, "charge.dispute.created", number)

    def answers_the_bank(self) -> None:
        chargeback = self.one(Chargeback, status="needs_response")
        texts = {"uncategorized_text": "It was delivered."}
        who = self.staff("fay")
        draft = self.act(chargeback_evidence.stage, who, chargeback_id=chargeback.id, texts=texts)
        sender, typed = self.staff("ada", "fay"), f"CB-{chargeback.id}"
        self.act(chargeback_evidence.submit, sender, evidence_id=draft.id, typed=typed)

    def bank_decides(self) -> None:
        """Won or lost; one that was not answered in time the bank has decided by itself."""
        self.moves()
        chargeback = self.one(Chargeback)
        self.market.control.set_clock(self.market.now)
        open_there = {
            each["id"]
            for each in self.market.at_stripe("/v1/disputes")
            if each["status"] in ("needs_response", "under_review")
        }
        if chargeback.stripe_dispute in open_there:
            self.market.control.decide_dispute(chargeback.stripe_dispute, self.draw.choice(("won", "lost")))
        told_by_webhook(self.market, "charge.dispute.closed", chargeback.stripe_dispute)

    def sets_off(self) -> None:
        """A debt against whatever of the payee's is still here, as the page shows it."""
        payees = sorted({each.payee_id for each in self.market.all(Project)})
        plans = [
            self.market.read(lambda s, n=n, c=c: shown.of_payee(s, n, c))
            for n in payees
            for c in ("USD", "JPY")
        ]
        plan = self.chosen([each for each in plans if each.total.is_positive])
        self.act(
            set_offs.set_off, self.staff("fay"), party_id=plan.party_id, amount=plan.total, reason="Agreed."
        )

    def reviews(self) -> None:
        project = self.one(Project, status="COMPLETED")
        who = as_party(self.draw.choice(self.people[project.id]))
        self.act(ratings.submit, who, project_id=project.id, stars=self.draw.randrange(0, 6))

    def changes_the_rules(self) -> None:
        platform = self.draw.choice(list(Platform))
        changes = {"platform_fee_bps": self.draw.randrange(0, 500)}
        who = self.staff("ada")
        made: PolicyProposal = self.act(
            policy_change.propose, who, platform=platform, changes=changes, reason="A new year."
        )
        self.act(policy_change.approve, self.staff("abe", "ada"), proposal_id=made.id)

    # -- time, the worker, and what goes wrong outside --

    def time_passes(self) -> None:
        self.moves()
        self.market.later(hours=self.draw.choice((1, 6, 24, 80)))

    def works(self) -> None:
        self.moves()
        self.market.work()

    def news_come_again(self) -> None:
        """What Stripe told before, once more: the object is fetched and found as it was booked."""
        self.moves()
        order = self.chosen(self.paid())
        told_by_webhook(self.market, "payment_intent.succeeded", order.stripe_payment_intent)

    def reconciles(self) -> None:
        self.moves()
        reconciliation.run(self.market.desk, self.market.as_staff("fay"))

    def bad_day(self) -> None:
        path, trouble = self.draw.choice(MOVES_MONEY), self.draw.choice(TROUBLES)
        self.market.control.fault(path=path, times=self.draw.randrange(1, 4), **trouble)

    def bank_says_no(self) -> None:
        order = {"code": "could_not_process", "after_paid": self.draw.random() < 0.5}
        self.market.control.next_payouts(order)

    def refund_trouble(self) -> None:
        self.market.control.next_refunds({"status": self.draw.choice(("pending", "failed"))})


# Each with its weight.
THINGS: dict[str, tuple[Callable[[Life], None], int]] = {
    "agrees": (Life.agrees, 1),
    "pays": (Life.pays, 8),
    "pays ahead": (Life.pays_ahead, 2),
    "submits": (Life.submits, 8),
    "approves": (Life.approves, 4),
    "disputes": (Life.disputes, 7),
    "complains late": (Life.complains_late, 1),
    "reworks": (Life.reworks, 1),
    "withdraws": (Life.withdraws, 1),
    "calls a mediator": (Life.calls_a_mediator, 5),
    "writes": (Life.writes, 1),
    "offers": (Life.offers, 3),
    "answers an offer": (Life.answers_an_offer, 3),
    "opens a case": (Life.opens_a_case, 2),
    "hands over": (Life.hands_over, 1),
    "steps back": (Life.steps_back, 1),
    "asks": (Life.asks, 1),
    "answers": (Life.answers, 1),
    "decides": (Life.decides, 10),
    "second person": (Life.second_person, 4),
    "stops": (Life.stops, 1),
    "lets go": (Life.lets_go, 3),
    "reports": (Life.reports, 1),
    "flags": (Life.flags, 1),
    "settles": (Life.settles, 7),
    "sends again": (Life.sends_again, 2),
    "another way": (Life.another_way, 1),
    "charges back": (Life.charges_back, 1),
    "answers the bank": (Life.answers_the_bank, 1),
    "bank decides": (Life.bank_decides, 2),
    "sets off": (Life.sets_off, 2),
    "reviews": (Life.reviews, 1),
    "changes the rules": (Life.changes_the_rules, 1),
    "time passes": (Life.time_passes, 8),
    "works": (Life.works, 7),
    "news come again": (Life.news_come_again, 1),
    "reconciles": (Life.reconciles, 1),
    "bad day": (Life.bad_day, 2),
    "bank says no": (Life.bank_says_no, 1),
    "refund trouble": (Life.refund_trouble, 1),
}
NAMES = [name for name, (_, weight) in THINGS.items() for _ in range(weight)]
