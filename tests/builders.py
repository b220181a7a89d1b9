"""Stories for tests: a small desk on which the real actions are run until a case stands where a test wants it.

    town = builders.a_town(database)                     staff of every role, two parties
    told = builders.in_mediation(town)                   a case that can be decided; `told.case`, `told.milestone`
    builders.carry_out(town)                             Stripe's answers to everything that is queued

What Stripe would say is given as snapshots: facts about the past, made here. The clock stands where `town.now` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions.cases import conversation, disputes, mediator_assignment
from core.actions.decisions import confirmation
from core.actions.decisions.plan import Draft
from core.actions.funding import fund, settlement_currency
from core.actions.milestones import bids, engagement, legal_checklist, parties, verification
from core.actions.payouts import withdrawals
from core.actions.refunds import refunds
from core.actions.risk import risk_reviews
from core.actions.staff import install
from core.db import Database
from core.gateways.payments import (
    BalanceLine,
    ChargeSnapshot,
    PaidWith,
    PayoutSnapshot,
    RefundSnapshot,
    TransferSnapshot,
)
from core.money import CURRENCIES, Money
from core.policy import Platform
from core.records import (
    Case,
    Decision,
    Installation,
    Milestone,
    OutgoingOperation,
    Party,
    Payout,
    RiskReview,
    Staff,
)
from core.rules.cases import DisputeReason
from core.rules.cautions import Caution
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.legal_checklist import Item
from core.rules.payouts import PayoutEvent
from core.rules.permissions import SYSTEM, Actor, Role
from core.rules.risk import ReviewOutcome
from tests import kept_stories

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
REASONS = "The cabinets hang, the worktop is missing; the photographs and the scope agree on that."
Result = TypeVar("Result")
numbers = count(1)


@dataclass
class Town:
    """`staff` by subject: mia and max mediate, fay is finance, cora compliance, ada administrator."""

    database: Database
    now: datetime = NOW
    staff: dict[str, int] = field(default_factory=dict)
    roles: dict[str, frozenset[Role]] = field(default_factory=dict)
    payer_id: int = 0
    payee_id: int = 0

    def act(self, action: Callable[..., Result], actor: Actor, **arguments: Any) -> Result:
        return self.database.run(lambda session: action(session, actor, now=self.now, **arguments))

    def read(self, question: Callable[[Session], Result]) -> Result:
        with self.database.reading() as session:
            return question(session)

    def as_staff(self, subject: str) -> Actor:
        """Someone who has just signed in."""
        return Actor("staff", self.staff[subject], self.roles[subject], authenticated_at=self.now)

    @property
    def payer(self) -> Actor:
        return Actor("party", self.payer_id)

    @property
    def payee(self) -> Actor:
        return Actor("party", self.payee_id)

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(frozen=True)
class Told:
    """Where a story has come."""

    project: int
    milestone: int
    case: int = 0


PEOPLE = {
    "mia": ("Mia Lund", Role.MEDIATOR),
    "max": ("Max Adler", Role.MEDIATOR),
    "fay": ("Fay Moreno", Role.FINANCE),
    "cora": ("Cora Nwosu", Role.COMPLIANCE),
    "ada": ("Ada Berg", Role.ADMINISTRATOR),
}


def second_administrator(town: Town) -> None:
    """Alf, where a story needs two administrators."""
    known = {"issuer": "demo", "subject": "alf", "name": "Alf Berg", "email": "alf@example.com"}
    row = town.act(install.add_staff, SYSTEM, roles=(Role.ADMINISTRATOR,), **known)
    town.staff["alf"], town.roles["alf"] = row.id, frozenset({Role.ADMINISTRATOR})


def a_town(database: Database, *, now: datetime = NOW) -> Town:
    """An installed desk with staff of every role, a payer and a payee; made, or found where it was made before."""
    database.info = {"jobs": False}
    town = Town(database, now)
    with database.reading() as session:
        if session.get(Installation, 1) is not None:
            assert now == NOW, "this town was founded at another time"
            return _found(town, session)
    database.run(lambda session: install.install(session, now=now, name="test", demo=True))
    for subject, (name, role) in PEOPLE.items():
        row = town.act(
            install.add_staff,
            SYSTEM,
            issuer="demo",
            subject=subject,
            name=name,
            email=f"{subject}@example.com",
            roles=(role,),
        )
        town.staff[subject], town.roles[subject] = row.id, frozenset({role})
    switch_payments_on(town)
    town.database.run(lambda session: settle_in_every_currency(session, town.now))
    town.payer_id = a_party(town, "PAYER", "Ana Lindqvist")
    town.payee_id = a_party(town, "PAYEE", "Ben Okafor")
    return town


def _found(town: Town, session: Session) -> Town:
    for row in session.scalars(select(Staff)):
        town.staff[row.subject], town.roles[row.subject] = row.id, frozenset({PEOPLE[row.subject][1]})
    both = {row.role: row.id for row in session.scalars(select(Party))}
    town.payer_id, town.payee_id = both["PAYER"], both["PAYEE"]
    return town


def settle_in_every_currency(session: Session, now: datetime) -> None:
    """What the worker reads from Stripe at its first look."""
    settlement_currency.record(session, frozenset(CURRENCIES), now=now)


MEMO = {"document": b"%PDF-1.4 memo", "document_name": "memo.pdf"}


def switch_payments_on(town: Town) -> None:
    """Compliance signs every item of both platforms' legal checklists."""
    for platform in Platform:
        for item in Item:
            signing = {"platform": platform, "item": item, "note": "Counsel's memo of February."}
            town.act(legal_checklist.sign, town.as_staff("cora"), **MEMO, **signing)


def clear_reviews(town: Town, milestone_id: int) -> None:
    """Compliance has looked at what was opened for review (a high value) and lets it go on."""
    wanted = select(RiskReview.id).where(
        RiskReview.milestone_id == milestone_id, RiskReview.settled_at.is_(None)
    )
    for number in town.read(lambda session: session.scalars(wanted).all()):
        note = "Both parties are known to us."
        cora = town.as_staff("cora")
        town.act(risk_reviews.settle, cora, review_id=number, outcome=ReviewOutcome.CLEARED, note=note)


def a_party(town: Town, role: str, name: str, *, platform: str = "home_services") -> int:
    """Known to the marketplace and, by made-up ids, to Stripe."""
    number = next(numbers)

    def known(session: Session) -> int:
        party = parties.register(
            session,
            now=town.now,
            platform=platform,
            external_id=f"{role}-{number}",
            role=role,
            name=name,
            email=f"party{number}@example.com",
            city="Portland",
        )
        party.stripe_customer, party.payment_method = f"cus_{number}", "pm_card_visa"
        party.stripe_account = f"acct_{number}"
        return party.id

    return town.database.run(known)


@kept_stories.once
def funded(
    town: Town, *, total: Money | None = None, title: str = "New kitchen", payment_method: str | None = None
) -> Told:
    """A project whose first milestone is paid and held."""
    project = town.act(
        bids.accept,
        town.payer,
        bid=bids.Bid(
            payer_id=town.payer_id,
            payee_id=town.payee_id,
            reference=f"bid-{next(numbers)}",
            title=title,
            scope="Cabinets, worktop and connections, as drawn.",
            project_type="KITCHEN",
            fee_mode="STAGED",
            total=total or Money(400_000, "USD"),
        ),
    )
    for part in engagement.Part:
        if part is not engagement.Part.CONFLICT_CHECK:
            who = town.payee if part in engagement.BY_PAYEE else town.payer
            town.act(engagement.confirm, who, project_id=project.id, part=part)
    first = town.read(
        lambda s: s.scalars(
            select(Milestone).where(Milestone.project_id == project.id).order_by(Milestone.position)
        ).first()
    )
    assert first is not None
    town.act(fund.fund, town.payer, milestone_id=first.id, payment_method=payment_method)
    carry_out(town)
    clear_reviews(town, first.id)
    return Told(project.id, first.id)


@kept_stories.once
def disputed(town: Town, told: Told | None = None, **project: Any) -> Told:
    """The work is handed in and disputed; both sides have said something."""
    told = told or funded(town, **project)
    town.wait(hours=30)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.wait(hours=20)
    case = town.act(
        disputes.open_dispute,
        town.payer,
        milestone_id=told.milestone,
        reason=DisputeReason.INCOMPLETE,
        details="The worktop was never delivered.",
    )
    town.wait(hours=1)
    town.act(conversation.say, town.payee, milestone_id=told.milestone, body="It comes on Thursday.")
    return Told(told.project, told.milestone, case.id)


@kept_stories.once
def in_mediation(
    town: Town, told: Told | None = None, *, mediator: str | None = "mia", **project: Any
) -> Told:
    """The case is with a mediator, or (None) in the queue."""
    told = disputed(town, told, **project)
    town.act(disputes.ask_mediation, town.payee, milestone_id=told.milestone)
    staff_id = town.staff[mediator] if mediator else None
    town.act(mediator_assignment.assign, town.as_staff("mia"), case_id=told.case, staff_id=staff_id)
    town.wait(hours=2)
    return told


def a_draft(told: Told, *, release: Money | None = None, **also: Any) -> Draft:
    """A partial release of `release`, else a full release; everything cited."""
    partial = release is not None
    given: dict[str, Any] = {
        "case_id": told.case,
        "outcome": DecisionOutcome.PARTIAL_RELEASE if partial else DecisionOutcome.FULL_RELEASE,
        "ground": Ground.PARTIAL_WORK if partial else Ground.WORK_DELIVERED,
        "reasons": REASONS,
        "release": release,
        "references": frozenset(Reference),
    }
    return Draft(**{**given, **also})


def decided(town: Town, told: Told, draft: Draft | None = None, *, by: str = "mia") -> Decision:
    """Previewed and confirmed; what follows depends on the rules (`decision.status`)."""
    draft = draft or a_draft(told)
    actor = town.as_staff(by)
    plan, _ = town.act(confirmation.preview, actor, draft=draft)
    intent = f"story-{next(numbers)}"
    return town.act(
        confirmation.confirm, actor, draft=draft, plan_hash=plan.hash, intent=intent, known=tuple(Caution)
    )


def carry_out(town: Town, *, payouts_too: bool = True) -> None:
    """Stripe does what is queued, one call after another, and its answers are booked."""
    kinds = {"CHARGE", "REFUND", "TRANSFER"} | ({"PAYOUT"} if payouts_too else set())
    while True:
        todo = town.read(
            lambda s: s.scalars(
                select(OutgoingOperation)
                .where(OutgoingOperation.status == "QUEUED", OutgoingOperation.kind.in_(kinds))
                .order_by(OutgoingOperation.id)
            ).first()
        )
        if todo is None:
            return
        town.database.run(lambda session, number=todo.id: _answer(session, number, town.now))  # type: ignore[misc]


def roll_up(owner: Database) -> None:
    """Rolls postings up, as the worker does; a transaction of a test beside this one may hold them back for a
    moment, because the oldest that runs is counted over the whole server."""
    statement = text(
        "select roll_up((select rolled_to from ledger_roll_up), pg_snapshot_xmin(pg_current_snapshot()))"
    )
    while not owner.run(lambda session: session.execute(statement).scalar_one()):
        pass


def _answer(session: Session, number: int, now: datetime) -> None:
    operation = session.get_one(OutgoingOperation, number, with_for_update=True)
    amount = Money(operation.amount_minor, operation.currency)
    if operation.kind == "TRANSFER":  # whoever sends it says so first
        sent = session.scalars(select(Payout).where(Payout.transfer_operation_id == operation.id)).one()
        withdrawals.move(sent, PayoutEvent.SEND, now=now)
    mark = f"{operation.kind.lower()}_{operation.id}"
    settle, snapshot = SNAPSHOTS[operation.kind](operation, amount, mark, now)
    settle(session, operation, snapshot, now=now)


def _line(amount: Money, mark: str, now: datetime, *, sign: int = 1, fee: int = 0) -> BalanceLine:
    minor = sign * amount.minor
    return BalanceLine(
        id=f"txn_{mark}",
        type=mark.partition("_")[0],
        reporting_category=mark.partition("_")[0],
        amount=minor,
        fee=fee,
        net=minor - fee,
        currency=amount.currency,
        source=mark,
        created=now,
        available_on=now,
        status="available",
    )


def _common(operation: OutgoingOperation, amount: Money, mark: str, now: datetime) -> dict[str, Any]:
    return {
        "id": mark,
        "amount": amount,
        "created": now,
        "op": operation.key,
        "key": f"{operation.key}:1",
        "failure_code": None,
        "failure_message": None,
    }


def _charge(operation: OutgoingOperation, amount: Money, mark: str, now: datetime) -> Any:
    fee = amount.portion(290).minor + 30
    return fund.settle, ChargeSnapshot(
        **_common(operation, amount, mark, now),
        status="succeeded",
        charge=f"ch_{operation.id}",
        refunded=Money.zero(amount.currency),
        disputed=False,
        customer=operation.payload["customer"],
        payment_method=operation.payload["payment_method"],
        transfer_group=operation.payload["transfer_group"],
        lines=(_line(amount, mark, now, fee=fee),),
        paid_with=_paid_with(operation.payload["payment_method"]),
    )


def _paid_with(payment_method: str) -> PaidWith:
    debit = payment_method.startswith("pm_usBankAccount")
    return PaidWith("us_bank_account") if debit else PaidWith("card", "visa", "credit", "US")


def _refund(operation: OutgoingOperation, amount: Money, mark: str, now: datetime) -> Any:
    return refunds.settle, RefundSnapshot(
        **_common(operation, amount, mark, now),
        status="succeeded",
        payment_intent=operation.payload["payment_intent"],
        charge=None,
        reason=None,
        pending_reason=None,
        lines=(_line(amount, mark, now, sign=-1),),
    )


def _transfer(operation: OutgoingOperation, amount: Money, mark: str, now: datetime) -> Any:
    return withdrawals.settle_transfer, TransferSnapshot(
        **_common(operation, amount, mark, now),
        status="paid",
        reversed=Money.zero(amount.currency),
        destination=operation.payload["destination"],
        destination_payment=None,
        source_transaction=operation.payload["source_transaction"],
        transfer_group=operation.payload["transfer_group"],
        lines=(_line(amount, mark, now, sign=-1),),
    )


def _payout(operation: OutgoingOperation, amount: Money, mark: str, now: datetime) -> Any:
    return withdrawals.settle_payout, PayoutSnapshot(
        **_common(operation, amount, mark, now),
        status="paid",
        account=operation.payload["account"],
        method=operation.payload["method"],
        destination=None,
        arrival=now,
        automatic=False,
    )


SNAPSHOTS: dict[str, Any] = {"CHARGE": _charge, "REFUND": _refund, "TRANSFER": _transfer, "PAYOUT": _payout}


def case_of(town: Town, told: Told) -> Case:
    return town.read(lambda session: session.get_one(Case, told.case))


def party_of(town: Town, party_id: int) -> Party:
    return town.read(lambda session: session.get_one(Party, party_id))
