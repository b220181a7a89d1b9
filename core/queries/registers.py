"""The registers that the legal specification asks for: payment intents, refund decisions, receipts with their snapshot
(payment-escrow-rules, Records / Audit Requirements). Holds and releases, and administration, come from the audit log.

Each is read newest first; `before` is the number of the last row of the page before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.filters import AuditFilter
from core.db import NEWEST
from core.money import Money
from core.queries.movements import Period
from core.rules.references import reference


@dataclass(frozen=True)
class RegisterFilter:
    """What narrows a register; None is everything. `case`: of the milestone that the case is about. `state`: a status,
    or a kind, as the register stores it."""

    period: Period | None = None
    project: int | None = None
    milestone: int | None = None
    case: int | None = None
    state: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        return {
            "since": self.period.since if self.period else None,
            "until": self.period.until if self.period else None,
            "project": self.project,
            "milestone": self.milestone,
            "case": self.case,
            "state": self.state,
        }

    def where(self, at: str, state: str, own_case: str | None = None) -> str:
        """The condition in SQL: `at` and `state` are the register's own columns, `own_case` the one with its case."""
        return " and ".join(self._conditions(at, state, own_case))

    def _conditions(self, at: str, state: str, own_case: str | None) -> Iterator[str]:
        yield "r.id < :before"
        if self.period:
            yield f"{at} >= :since and {at} < :until"
        if self.project is not None:
            yield "m.project_id = :project"
        if self.milestone is not None:
            yield "m.id = :milestone"
        if self.case is not None:
            yield (
                f"{own_case} = :case"
                if own_case
                else "m.id = (select milestone_id from cases where id = :case)"
            )
        if self.state:
            yield f"{state} = :state"

    def of_the_log(self, log: str) -> AuditFilter:
        """The same for a register that is read from the audit log; the log has no states."""
        return AuditFilter(
            since=self.period.since if self.period else None,
            until=self.period.until if self.period else None,
            log=log,
            project_id=self.project,
            milestone_id=self.milestone,
            ticket_id=self.case,
        )

    def facts(self) -> Mapping[str, object]:
        """As the file of the register names it."""
        return {
            "from": self.period.first if self.period else None,
            "to": self.period.last if self.period else None,
            "project": self.project,
            "milestone": self.milestone,
            "case": self.case,
            "state": self.state,
        }


@dataclass(frozen=True)
class Row:
    """What every row of a register has: a number, and the milestone and project that it is about."""

    id: int
    at: datetime
    milestone_id: int
    project_id: int


@dataclass(frozen=True)
class PaymentIntent(Row):
    """One charge of a payer. `stripe_id` is None until the provider has answered."""

    stripe_id: str | None
    operation_id: int
    payer_id: int
    amount: Money
    status: str
    failure: str | None
    ended_at: datetime | None


@dataclass(frozen=True)
class RefundDecision(Row):
    """A decision on who gets what is held. `citations`: what it cites, each with its hash; `refunds`: Stripe's ids."""

    case_id: int
    outcome: str
    ground: str
    release: Money
    refund: Money
    status: str
    maker_id: int
    maker: str
    checker_id: int | None
    checker: str | None
    executed_at: datetime | None
    citations: Sequence[Mapping[str, Any]]
    plan_hash: str
    refunds: str

    @property
    def case(self) -> str:
        return reference("case", self.case_id)

    def cited(self, kind: str) -> int:
        """How many things of this kind it cites."""
        return sum(each["reference"] == kind for each in self.citations)


@dataclass(frozen=True)
class ReceiptEntry(Row):
    """A receipt, invoice or credit note with what was agreed when it was written."""

    number: str
    kind: str
    payer_id: int
    payer: str
    payee_id: int
    payee: str
    total: Money
    lines: Sequence[Any]
    scope: Mapping[str, Any]
    scope_hash: str


OF_MILESTONE = "join milestones m on m.id = r.milestone_id join projects p on p.id = m.project_id"
INTENTS = """
select r.id, r.created_at as at, m.id as milestone_id, m.project_id, o.provider_id, r.operation_id, p.payer_id,
       o.amount_minor, o.currency, r.status, coalesce(r.failure, r.code) as failure, r.ended_at
from charges r join outgoing_operations o on o.id = r.operation_id {of_milestone}
where {where} order by r.id desc limit :size
"""
DECISIONS = """
select r.id, r.made_at as at, m.id as milestone_id, m.project_id, r.case_id, r.outcome, r.ground, r.release_minor,
       r.refund_minor, r.currency, r.status, r.maker_id, maker.name as maker, r.checker_id, checker.name as checker,
       r.executed_at, r.citations, r.plan_hash,
       (select coalesce(string_agg(f.stripe_refund, ' ' order by f.id), '') from refunds f where f.decision_id = r.id)
           as refunds
from decisions r {of_milestone} join staff maker on maker.id = r.maker_id
left join staff checker on checker.id = r.checker_id
where {where} order by r.id desc limit :size
"""
RECEIPTS = """
select r.id, r.at, m.id as milestone_id, m.project_id, r.number, r.kind, r.payer_id, r.payer_name, r.payee_id,
       r.payee_name, r.total_minor, r.currency, r.lines, r.scope, r.scope_hash
from receipts r {of_milestone}
where {where} order by r.id desc limit :size
"""


def payment_intents(
    session: Session, wanted: RegisterFilter, before: int | None, size: int
) -> list[PaymentIntent]:
    return [
        PaymentIntent(
            row.id, row.at, row.milestone_id, row.project_id, row.provider_id, row.operation_id, row.payer_id,
            Money(row.amount_minor, row.currency), row.status, row.failure, row.ended_at,
        )
        for row in _read(session, INTENTS, wanted, before, size, ("r.created_at", "r.status", None))
    ]  # fmt: skip


def refund_decisions(
    session: Session, wanted: RegisterFilter, before: int | None, size: int
) -> list[RefundDecision]:
    return [
        RefundDecision(
            row.id, row.at, row.milestone_id, row.project_id, row.case_id, row.outcome, row.ground,
            Money(row.release_minor, row.currency), Money(row.refund_minor, row.currency), row.status,
            row.maker_id, row.maker, row.checker_id, row.checker, row.executed_at, row.citations, row.plan_hash,
            row.refunds,
        )
        for row in _read(session, DECISIONS, wanted, before, size, ("r.made_at", "r.status", "r.case_id"))
    ]  # fmt: skip


def receipts(session: Session, wanted: RegisterFilter, before: int | None, size: int) -> list[ReceiptEntry]:
    return [
        ReceiptEntry(
            row.id, row.at, row.milestone_id, row.project_id, row.number, row.kind, row.payer_id, row.payer_name,
            row.payee_id, row.payee_name, Money(row.total_minor, row.currency), row.lines, row.scope, row.scope_hash,
        )
        for row in _read(session, RECEIPTS, wanted, before, size, ("r.at", "r.kind", None))
    ]  # fmt: skip


def _read(
    session: Session,
    query: str,
    wanted: RegisterFilter,
    before: int | None,
    size: int,
    columns: tuple[str, str, str | None],
) -> Iterator[Any]:
    statement = text(query.format(of_milestone=OF_MILESTONE, where=wanted.where(*columns)))
    values = wanted.values | {"before": NEWEST if before is None else before, "size": size}
    return iter(session.execute(statement, values))
