"""The search: whatever the desk prints, an id of Stripe's, an amount or a name leads to what bears it.

One statement, whatever is asked: each thing that the words can mean is one part of it, and each part finds at most
`limit` rows, the newest first. Only what the reader may see is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.like_patterns import like
from core.money import Money
from core.queries import breaks, journals
from core.rules import permissions, status_labels
from core.rules.permissions import Actor, Permission
from core.rules.references import PREFIXES
from core.rules.search import OF_REFERENCE, Found, Meaning, meaning

LIMIT = 8
# By which axis of `status_labels` the status of what was found is called.
STATUS_AXES: Mapping[Found, str] = {
    Found.CASE: "case",
    Found.PROJECT: "project",
    Found.MILESTONE: "milestone",
    Found.PAYOUT: "payout",
    Found.REFUND: "refund",
    Found.RECEIPT: "credit note",
    Found.CHARGEBACK: "chargeback",
    Found.LETTER: "notification",
    Found.SUSPENSE: "suspense",
    Found.BREAK: "break",
    Found.MANUAL_JOURNAL: "proposal",
    Found.RUN: "reconciliation",
    Found.OPERATION: "operation",
    Found.WEBHOOK_EVENT: "webhook",
}
PREFIX: Mapping[Found, str] = {found: PREFIXES[kind] for kind, found in OF_REFERENCE.items()}


@dataclass(frozen=True)
class Hit:
    """One thing found. `id` is its number, or the name it goes by: an account's code, an event's id. `title` and
    `detail` may be an outsider's words. `project_id`, `case_id`: where it belongs, if it does."""

    kind: Found
    id: str
    reference: str
    title: str
    detail: str
    amount: Money | None
    status: str | None
    currency: str | None
    project_id: int | None
    case_id: int | None
    matched: Money | None = None
    """The amount that was asked for, where `amount` is another one of it; `matched_as` says which."""
    matched_as: str = ""

    @property
    def status_words(self) -> str:
        """The status as every page calls it, and of a journal its kind; empty where it has none."""
        if not self.status:
            return ""
        if self.kind is Found.JOURNAL:
            return journals.title(self.status)
        return status_labels.words(STATUS_AXES[self.kind], self.status)


@dataclass(frozen=True)
class Result:
    """`hits` by kind, newest first; `direct`: what the words name, if they name one thing and nothing else."""

    hits: tuple[Hit, ...]
    direct: Hit | None = None
    more: frozenset[Found] = frozenset()
    """Kinds of which there are more than are shown."""


@dataclass(frozen=True)
class Source:
    """Where a kind of thing is found: its `table`, read as `x`, what is said of it and who may look."""

    table: str
    title: str
    permission: Permission
    joins: str = ""
    detail: str = "''"
    amount: str = "null"
    currency: str = "null"
    status: str = "null"
    name: str = "null"
    project: str = "null"
    case: str = "null"
    id: str = "x.id"
    key: str = "id"
    order: str = "id"


_MILESTONE = "join milestones m on m.id = x.milestone_id join projects p on p.id = m.project_id"
_OF_MILESTONE = "m.title || ' · ' || p.title"
_PARTIES = "join parties payer on payer.id = p.payer_id join parties payee on payee.id = p.payee_id"
_BETWEEN = "payer.name || ' · ' || payee.name"
# Of a credit note's refund, where it came back.
_CAME_BACK = (
    "(select r.status from outgoing_operations o join refunds r on r.operation_id = o.id"
    " where x.kind = 'REFUND' and o.key = substr(x.key, 8) and r.status <> 'SUCCEEDED')"
)
_CASE = "(select max(t.id) from cases t where t.milestone_id = m.id)"

SOURCES: Mapping[Found, Source] = {
    Found.CASE: Source(
        "cases",
        _OF_MILESTONE,
        Permission.READ_CASES,
        joins=f"{_MILESTONE} {_PARTIES}",
        detail=_BETWEEN,
        amount="m.amount_minor",
        currency="m.currency",
        status="x.status",
        project="p.id",
        case="x.id",
    ),
    Found.PROJECT: Source(
        "projects",
        "x.title",
        Permission.READ_CASES,
        joins=f"join projects p on p.id = x.id {_PARTIES}",
        detail=f"{_BETWEEN} || ' · ' || x.bid_reference",
        amount="x.total_minor",
        currency="x.currency",
        status="x.status",
        project="x.id",
    ),
    Found.MILESTONE: Source(
        "milestones",
        _OF_MILESTONE,
        Permission.READ_CASES,
        joins=f"join milestones m on m.id = x.id join projects p on p.id = x.project_id {_PARTIES}",
        detail=_BETWEEN,
        amount="x.amount_minor",
        currency="x.currency",
        status="x.status",
        project="p.id",
        case=_CASE,
    ),
    Found.PARTY: Source(
        "parties",
        "x.name",
        Permission.READ_CASES,
        detail="x.email || ' · ' || x.external_id",
    ),
    Found.PAYOUT: Source(
        "payouts",
        "y.name",
        Permission.READ_PAYOUTS,
        joins=f"{_MILESTONE} join parties y on y.id = x.party_id",
        detail=_OF_MILESTONE,
        amount="x.amount_minor - x.fee_minor",
        currency="x.currency",
        status="x.status",
        project="p.id",
    ),
    Found.PLATFORM_PAYOUT: Source(
        "stripe_payouts",
        "'From Stripe to our bank, ' || to_char(x.arrival_at, 'YYYY-MM-DD')",
        Permission.READ_LEDGER,
        amount="x.amount",
        currency="x.currency",
        order="created_at",
    ),
    Found.REFUND: Source(
        "refunds",
        "y.name",
        Permission.READ_CASES,
        joins=f"{_MILESTONE} join parties y on y.id = p.payer_id",
        detail=_OF_MILESTONE,
        amount="x.amount_minor",
        currency="x.currency",
        status="x.status",
        project="p.id",
        case=_CASE,
    ),
    Found.CHARGEBACK: Source(
        "chargebacks",
        _OF_MILESTONE,
        Permission.READ_CHARGEBACKS,
        joins=f"{_MILESTONE}",
        detail="x.stripe_dispute",
        amount="x.amount_minor",
        currency="x.currency",
        status="x.status",
        project="p.id",
    ),
    Found.HOLD: Source(
        "(select id, milestone_id, null::bigint as party_id, reason from holds"
        " union all select id, null, party_id, reason from payee_holds)",
        f"coalesce(y.name, {_OF_MILESTONE})",
        Permission.READ_CASES,
        joins=(
            "left join milestones m on m.id = x.milestone_id left join projects p on p.id = m.project_id"
            " left join parties y on y.id = x.party_id"
        ),
        detail="x.reason",
        project="p.id",
    ),
    Found.REPORT: Source(
        "reports",
        "p.title",
        Permission.READ_CASES,
        joins="join projects p on p.id = x.project_id",
        project="p.id",
    ),
    Found.RISK_REVIEW: Source(
        "risk_reviews", _OF_MILESTONE, Permission.READ_CASES, joins=f"{_MILESTONE}", project="p.id"
    ),
    Found.RECEIPT: Source(
        "receipts",
        _OF_MILESTONE,
        Permission.READ_CASES,
        joins=f"{_MILESTONE} {_PARTIES}",
        detail=_BETWEEN,
        amount="x.total_minor",
        currency="x.currency",
        status=_CAME_BACK,
        name="x.number",
        project="p.id",
    ),
    Found.LETTER: Source(
        "notifications",
        "x.subject",
        Permission.READ_CASES,
        joins="join projects p on p.id = x.project_id",
        status="x.status",
        project="p.id",
    ),
    Found.JOURNAL: Source(
        "journals",
        "x.memo",
        Permission.READ_LEDGER,
        detail="x.key",
        status="x.kind",
    ),
    Found.ACCOUNT: Source(
        "accounts",
        "x.code",
        Permission.READ_LEDGER,
        currency="x.currency",
        id="x.code",
    ),
    Found.SUSPENSE: Source(
        "suspense_items",
        "coalesce(x.why, x.source)",
        Permission.READ_LEDGER,
        detail="coalesce(x.transaction_id, x.source)",
        amount="x.amount_minor",
        currency="x.currency",
        status="x.status",
    ),
    Found.BREAK: Source(
        "breaks",
        "case when x.kind = 'BALANCE_DIFFERS' then 'Balance' when x.side = 'PAYEE' then 'Payee''s account at Stripe' "
        "when x.bank_line_id is not null then 'Line of our bank' "
        "when x.side = 'BANK' then 'Posting on our bank account' else coalesce(x.transaction_id, x.object) end",
        Permission.READ_LEDGER,
        joins="join breaks b on b.id = x.id left join suspense_items i on i.id = x.suspense_item_id",
        detail="x.class",
        amount="coalesce(x.theirs, 0) - coalesce(x.ours, 0)",
        currency="x.currency",
        status=breaks.STATE,
    ),
    Found.MANUAL_JOURNAL: Source(
        "manual_journals", "x.memo", Permission.READ_LEDGER, detail="x.reason", status="x.status"
    ),
    Found.BANK_STATEMENT: Source(
        "bank_statements",
        "a.name || ' · ' || to_char(x.last_on, 'YYYY-MM-DD')",
        Permission.READ_LEDGER,
        joins="join bank_accounts a on a.id = x.account_id",
        detail="x.reference",
        amount="x.closing_minor",
        currency="x.currency",
    ),
    Found.RUN: Source("reconciliation_runs", "'Reconciliation'", Permission.READ_LEDGER, status="x.status"),
    Found.OPERATION: Source(
        "outgoing_operations",
        "x.kind",
        Permission.READ_PAYOUTS,
        joins=f"{_MILESTONE}",
        detail="x.key",
        amount="x.amount_minor",
        currency="x.currency",
        status="x.status",
        project="p.id",
    ),
    Found.WEBHOOK_EVENT: Source(
        "webhook_events",
        "x.kind",
        Permission.READ_PAYOUTS,
        detail="x.object_id",
        status="x.status",
        order="created_at",
    ),
    Found.AUDIT_ENTRY: Source(
        "audit_entries", "x.action", Permission.READ_AUDIT, detail="x.object_kind || ' ' || x.object_id"
    ),
}

PAID = "x.id in (select o.milestone_id from payment_orders o where {})"
# By an id of Stripe's, or an operation's key.
BY_PROVIDER_ID: Mapping[Found, str] = {
    Found.MILESTONE: PAID.format("o.stripe_payment_intent = :id or o.stripe_charge = :id"),
    Found.REFUND: "x.stripe_refund = :id",
    Found.PAYOUT: "x.stripe_transfer = :id or x.stripe_payout = :id",
    Found.PLATFORM_PAYOUT: "x.id = :id and x.account is null",
    Found.CHARGEBACK: "x.stripe_dispute = :id or x.stripe_charge = :id",
    Found.PARTY: "x.stripe_customer = :id or x.stripe_account = :id",
    Found.JOURNAL: "x.id = (select b.journal_id from balance_transactions b where b.id = :id)",
    Found.SUSPENSE: "x.transaction_id = :id or x.source = :id or x.payment_intent = :id",
    Found.BREAK: "x.object = :id",
    Found.OPERATION: "x.provider_id = :id or x.key = :id",
    Found.WEBHOOK_EVENT: "x.id = :id",
}
OF_BANK_LINE = (
    "x.id in (select l.statement_id from bank_accounts b join bank_statement_lines l on l.account_id = b.id"
    " and l.amount_minor in ({minor}, -{minor}) where b.currency = any({currencies}))"
)
# What was agreed and what was charged, what left the payee's balance and what arrives, and what papers say of it.
# The last is what it is of the row, where that is not the amount which the row shows.
BY_AMOUNT: Sequence[tuple[Found, str, str]] = (
    (Found.MILESTONE, "x.amount_minor = {minor} and x.currency = any({currencies})", ""),
    (Found.MILESTONE, PAID.format("o.charge_minor = {minor} and o.currency = any({currencies})"), "charged"),
    (Found.PAYOUT, "x.amount_minor - x.fee_minor = {minor} and x.currency = any({currencies})", ""),
    (
        Found.PAYOUT,
        "x.amount_minor = {minor} and x.currency = any({currencies})",
        "before the withdrawal fee",
    ),
    (Found.REFUND, "x.amount_minor = {minor} and x.currency = any({currencies})", ""),
    (Found.CHARGEBACK, "x.amount_minor = {minor} and x.currency = any({currencies})", ""),
    (Found.RECEIPT, "x.total_minor = {minor} and x.currency = any({currencies})", ""),
    (Found.SUSPENSE, "abs(x.amount_minor) = {minor} and x.currency = any({currencies})", ""),
    (Found.BANK_STATEMENT, "abs(x.closing_minor) = {minor} and x.currency = any({currencies})", ""),
    (
        Found.BANK_STATEMENT,
        "abs(x.opening_minor) = {minor} and x.currency = any({currencies})",
        "opening balance",
    ),
    (Found.BANK_STATEMENT, OF_BANK_LINE, "in a line"),
)
PARTY = "searched(y.name || ' ' || y.email || ' ' || y.external_id)"
PROJECT = "searched(p.title || ' ' || p.bid_reference)"
MILESTONE = "searched(m.title)"
OF_LINE = (
    "x.id in (select l.statement_id from bank_statement_lines l"
    " where l.reference = :bank_reference and l.reference <> '')"
)
OF_ACCOUNT = "x.account_id in (select b.id from bank_accounts b where b.identifier = upper(:bank_reference))"
OF_RETURN = "x.id in (select r.refund_id from refund_returns r where r.reference = :bank_reference)"
OF_CASE = "x.milestone_id in (select m.id from milestones m {})"
# All that the condition finds is found first: the newest of it, by the order of ids, would else be looked for backwards
# through the whole table.
PART = """(
with found as materialized (
  select x.{source.key} as id, x.{source.order} as place from {source.table} x where {condition}
)
select '{kind}' as kind, ({source.id})::text as id, {source.title} as title, {source.detail} as detail,
  ({source.amount})::bigint as amount, ({source.currency})::text as currency, ({source.status})::text as status,
  ({matched})::bigint as matched, '{matched_as}' as matched_as,
  ({source.name})::text as name, ({source.project})::bigint as project, ({source.case})::bigint as in_case
from (select id from found order by place desc limit :limit) page join {source.table} x on x.{source.key} = page.id
{source.joins} order by x.{source.order} desc)"""


def search(session: Session, actor: Actor, words: str, *, now: datetime, limit: int = LIMIT) -> Result:
    """What bears this number, id, amount or name, as far as `actor` may see it. `now`: for what waits for a day."""
    asked = meaning(words)
    parts = [
        PART.format(
            kind=kind,
            source=SOURCES[kind],
            condition=condition,
            matched=matched or "null",
            matched_as=matched_as,
        )
        for kind, condition, matched, matched_as in _conditions(asked)
        if permissions.allowed(actor, SOURCES[kind].permission)
    ]
    if not parts:
        return Result(())
    rows = session.execute(
        text(" union all ".join(parts)), {**_values(asked), "limit": limit + 1, "now": now}
    )
    found: dict[tuple[Found, str, str | None], Hit] = {}
    for hit in map(_hit, rows):  # the first part that finds it says why
        found.setdefault((hit.kind, hit.id, hit.currency), hit)
    of = {kind: [each for each in found.values() if each.kind == kind] for kind in Found}
    hits = tuple(hit for each in of.values() for hit in each[:limit])
    # D-1 stands in bid-1203 as well: what bears the number is meant, and not what has it somewhere in its words.
    borne = [hit for hit in hits if len(asked.numbers) == 1 and _bears(hit, asked.numbers[0])]
    found_one = borne or (hits if asked.names_one else [])
    return Result(
        hits,
        found_one[0] if len(found_one) == 1 else None,
        frozenset(kind for kind, each in of.items() if len(each) > limit),
    )


def _bears(hit: Hit, number: tuple[Found, int]) -> bool:
    return (hit.kind, hit.id) == (number[0], str(number[1]))


def _hit(row: Any) -> Hit:
    kind = Found(row.kind)
    return Hit(
        kind=kind,
        id=row.id,
        reference=_reference(kind, row),
        title=row.title,
        detail=_detail(kind, row.detail or ""),
        amount=Money(row.amount, row.currency) if row.amount is not None else None,
        status=row.status,
        currency=row.currency,
        project_id=row.project,
        case_id=row.in_case,
        matched=Money(row.matched, row.currency) if row.matched_as else None,
        matched_as=row.matched_as,
    )


def _detail(kind: Found, detail: str) -> str:
    """Of a break its class, in words."""
    return status_labels.words("break class", detail) if kind is Found.BREAK else detail


def _reference(kind: Found, row: Any) -> str:
    """The number that the desk prints for it; nothing where it prints none."""
    if prefix := PREFIX.get(kind):
        return f"{prefix}-{row.id}"
    return row.name or ("" if kind is Found.PARTY else str(row.id))


def _values(asked: Meaning) -> dict[str, Any]:
    values: dict[str, Any] = {"id": asked.provider_id, "account": asked.account}
    values["bank_reference"], values["document"] = asked.bank_reference, asked.document
    values |= {f"number_{place}": number for place, (_, number) in enumerate(asked.numbers)}
    values |= {f"word_{place}": like(word) for place, word in enumerate(asked.words)}
    for place, (minor, currencies) in enumerate(_by_minor(asked).items()):
        values |= {f"minor_{place}": minor, f"currencies_{place}": currencies}
    return values


def _by_minor(asked: Meaning) -> dict[int, list[str]]:
    """$12.00 and EUR 12.00 are the same number of minor units, 12 yen are another."""
    return {
        minor: [each.currency for each in asked.amounts if each.minor == minor]
        for minor in sorted({each.minor for each in asked.amounts})
    }


def _conditions(asked: Meaning) -> Iterator[tuple[Found, str, str, str]]:
    """Each thing that the words can mean, with the condition for its rows, and of an amount its parameter and which of
    theirs it is."""
    for kind, condition in _by_name(asked):
        yield kind, condition, "", ""
    for place in range(len(_by_minor(asked))):
        for kind, condition, matched_as in BY_AMOUNT:
            minor = f":minor_{place}"
            yield kind, condition.format(minor=minor, currencies=f":currencies_{place}"), minor, matched_as
    if asked.words:
        for kind, condition in _by_words(len(asked.words)):
            yield kind, condition, "", ""


def _by_name(asked: Meaning) -> Iterator[tuple[Found, str]]:
    for place, (kind, _) in enumerate(asked.numbers):
        yield kind, f"x.id = :number_{place}"
    if asked.provider_id:
        yield from BY_PROVIDER_ID.items()
    if asked.account:
        yield Found.ACCOUNT, "x.code = :account"
    if asked.document:
        yield Found.RECEIPT, "x.number = :document"
    if asked.bank_reference:
        yield Found.BANK_STATEMENT, OF_LINE
        yield Found.BANK_STATEMENT, OF_ACCOUNT
        yield Found.REFUND, OF_RETURN


def _by_words(count: int) -> Iterator[tuple[Found, str]]:
    def says(column: str) -> str:
        return " and ".join(f"{column} like searched(:word_{place})" for place in range(count))

    parties = f"(select y.id from public.parties y where {says(PARTY)})"
    projects = f"(select p.id from projects p where {says(PROJECT)})"
    theirs = f"(select p.id from projects p where p.payer_id in {parties} or p.payee_id in {parties})"
    yield Found.PARTY, f"x.id in {parties}"
    yield Found.PROJECT, f"x.id in {projects}"
    yield Found.PROJECT, f"x.id in {theirs}"
    yield Found.MILESTONE, f"x.id in (select m.id from milestones m where {says(MILESTONE)})"
    yield Found.PAYOUT, f"x.party_id in {parties}"
    yield Found.CASE, OF_CASE.format(f"where {says(MILESTONE)}")
    yield Found.CASE, OF_CASE.format(f"where m.project_id in {projects}")
    yield Found.CASE, OF_CASE.format(f"where m.project_id in {theirs}")
