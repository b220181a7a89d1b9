"""The five registers on screen: each a table with a way to every object, and what a row holds beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.money import Money
from core.queries import audit
from core.queries import registers as queries
from core.queries.audit import LogEntry
from core.queries.registers import ReceiptEntry, RefundDecision, RegisterFilter
from core.rules import references
from core.rules.approvals import DecisionStatus
from core.rules.charges import ChargeStatus
from core.rules.documents import TITLES, ReceiptKind
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.permissions import Permission
from core.rules.references import ReferenceKind, reference
from dashboard import document_download, navigation, request_context
from dashboard.compliance import audit_labels, difference, entry
from dashboard.compliance.audit_labels import Names
from dashboard.ui import cards, filters, tables
from dashboard.ui.master_detail import Listing
from dashboard.ui.safe import html
from dashboard.ui.tables import Column, Cursor

NUMBERS: Mapping[str, tuple[str, ReferenceKind]] = {
    "project": ("Project", "project"),
    "milestone": ("Milestone", "milestone"),
    "case": ("Case", "case"),
}


def numbers() -> tuple[int | None, ...]:
    """Project, milestone and case; `D-42` and `42` are both case 42. What is neither is said."""
    return tuple(_number(key, label, kind) for key, (label, kind) in NUMBERS.items())


def _number(key: str, label: str, kind: ReferenceKind) -> int | None:
    typed = st.text_input(
        label,
        key=key,
        placeholder=f"{label} {reference(kind, 42)}",
        label_visibility="collapsed",
        width=140,
        max_chars=21,
        bind="query-params",
    )
    given = (typed or "").strip()
    found = references.number_in(kind, given) if given else None
    if given and found is None:
        filters.unreadable(label, key, given, remove=False)
    return found


@dataclass(frozen=True)
class Register:
    """`states`: (key in the address, label, stored value → label), where it has some."""

    title: str
    states: tuple[str, str, Mapping[str, str]] | None
    show: Callable[[RegisterFilter], None]


def state(register: Register) -> str | None:
    """The register's own filter. That of another in the address narrows nothing here, and it is said."""
    for other in REGISTERS:
        if other is not register and other.states and st.query_params.get(other.states[0]):
            key, label, _ = other.states
            filters.unreadable(f"{label} ({other.title})", key, st.query_params[key])
    if register.states is None:
        return None
    key, label, options = register.states
    return filters.one_of(label, options, key=key, width=210)


class NoSuchRow(DeskError):
    """This register has no row {number}."""


@dataclass(frozen=True)
class _Rows:
    """A register that is a table of its own."""

    name: str
    title: str
    page: Callable[[Session, RegisterFilter, int | None, int], Sequence[Any]]
    columns: Sequence[Column]
    first: int
    panel: Callable[[Any], None] | None = None
    file: Sequence[Column] = field(default_factory=tuple)

    def __call__(self, wanted: RegisterFilter) -> None:
        def find(session: Session, number: int) -> Any:
            found = self.page(session, RegisterFilter(), number + 1, 1)
            if not found or found[0].id != number:
                raise NoSuchRow(number=number)
            return found[0]

        listing = _listing(
            self.name,
            self.title,
            wanted,
            columns=self.columns,
            first=self.first,
            page=lambda session, before, limit: self.page(session, wanted, before, limit),
            file=[*self.columns, *self.file],
            param=self.name,
        )
        cursor = _cursor(self.name, wanted)
        with request_context.reading() as session:
            rows = self.page(session, wanted, cursor.before, cursor.limit)
        listing.show(rows, cursor, find, self.panel)


@dataclass(frozen=True)
class _Log:
    """A register that is read from the audit log."""

    log: str
    title: str

    def __call__(self, wanted: RegisterFilter) -> None:
        asked = wanted.of_the_log(self.log)
        cursor = _cursor(self.log, wanted)
        with request_context.reading() as session:
            rows = audit.page(session, asked, before_id=cursor.before, limit=cursor.limit)
            names = Names.of(session, rows)
        columns = [
            tables.when("at", "Time", width=160, seconds=True),
            tables.text("title", "What", value=lambda row: audit_labels.title(row.action), width=170),
            tables.text("who", "Who", value=names.who, width=120),
            tables.text("before", "Before", value=_before, width=170),
            tables.text("after", "After", value=_after, width=210),
            tables.leads("object", "Object", value=names.what, to=audit_labels.way, width=120),
            _to_case("ticket_id"),
            tables.leads("report", "Report", value=_report, to=_to_report, width=80),
            _to_project("project_id"),
            tables.text("reason", "Reason", value=lambda row: row.reason or "", width=190),
            tables.text("id", "Entry", value=lambda row: str(row.id), width=64),
        ]

        listing = _listing(
            self.log,
            self.title,
            wanted,
            columns=columns,
            first=3,
            page=lambda session, before, limit: audit.page(session, asked, before_id=before, limit=limit),
            file=FILED,
            param="entry",
        )
        listing.show(rows, cursor, lambda session, number: audit.entry(session, number).id, entry.show)


def _listing(name: str, title: str, wanted: RegisterFilter, **more: Any) -> Listing:
    return Listing(
        f"register-{name}", title, permission=Permission.EXPORT_AUDIT, filter=wanted.facts(), **more
    )


def _cursor(name: str, wanted: RegisterFilter) -> Cursor:
    return tables.cursor(f"before-{name.replace('_', '-')}", depends=[*map(str, wanted.facts().values())])


def _before(row: LogEntry) -> str:
    return "; ".join(
        f"{each.field}: {each.before}" for each in _lines(row) if each.before is not None and each.changed
    )


def _after(row: LogEntry) -> str:
    return "; ".join(
        f"{each.field}: {each.after}" for each in _lines(row) if each.after is not None and each.changed
    )


def _lines(row: LogEntry) -> list[difference.FieldChange]:
    return difference.lines(row.before, row.after)


def _report(row: LogEntry) -> str:
    return reference("report", row.report_id) if row.report_id else ""


def _to_report(row: LogEntry) -> tuple[str, Mapping[str, Any]] | None:
    return ("holds", {}) if row.report_id else None


def _to_case(name: str) -> Column:
    def to(row: Any) -> tuple[str, Mapping[str, Any]] | None:
        number = getattr(row, name)
        return ("case", {"id": number}) if number else None

    def words(row: Any) -> str:
        number = getattr(row, name)
        return reference("case", number) if number else ""

    return tables.leads("case", "Case", value=words, to=to, width=80)


def _to_project(name: str) -> Column:
    def to(row: Any) -> tuple[str, Mapping[str, Any]] | None:
        number = getattr(row, name)
        return ("project", {"id": number}) if number else None

    def words(row: Any) -> str:
        number = getattr(row, name)
        milestone = row.milestone_id
        return (
            reference("milestone", milestone) if milestone else reference("project", number) if number else ""
        )

    return tables.leads("milestone", "Milestone", value=words, to=to, width=86)


def _to_party(name: str, label: str, words: Callable[[Any], str]) -> Column:
    return tables.leads(
        name,
        label,
        value=words,
        to=lambda row: ("party_statement", {"id": getattr(row, f"{name}_id")}),
        width=140,
    )


FILED = [
    tables.when("at", "Time", seconds=True),
    tables.text("action", "Action"),
    tables.text("actor", "Who", value=lambda row: f"{row.actor_kind} {row.actor_id or ''}".strip()),
    tables.text("role", "Role", value=lambda row: row.role or ""),
    tables.text("before", "Before", value=_before),
    tables.text("after", "After", value=_after),
    tables.text("object", "Object", value=lambda row: f"{row.object_kind} {row.object_id}"),
    tables.text("case", "Case", value=lambda row: reference("case", row.ticket_id) if row.ticket_id else ""),
    tables.text("report", "Report", value=_report),
    tables.text("project", "Project", value=lambda row: row.project_id or ""),
    tables.text("milestone", "Milestone", value=lambda row: row.milestone_id or ""),
    tables.text("reason", "Reason", value=lambda row: row.reason or ""),
    tables.text("operation", "Operation", value=lambda row: row.operation_key or ""),
    tables.text("id", "Entry", value=lambda row: str(row.id)),
]
INTENTS = _Rows(
    "intents",
    "Payment intents",
    queries.payment_intents,
    [
        tables.when("at", "Asked for", width=160, seconds=True),
        tables.leads(
            "stripe_id",
            "Payment intent",
            value=lambda row: row.stripe_id or "None yet",
            to=lambda row: ("operations", {"id": row.operation_id}),
            width=235,
        ),
        tables.money("amount", "Amount", width=110),
        tables.text("status", "State", value=lambda row: ChargeStatus(row.status).label, width=130),
        tables.when("ended_at", "Ended", width=160, seconds=True),
        _to_project("project_id"),
        _to_party("payer", "Payer", lambda row: f"Party {row.payer_id}"),
        tables.text("failure", "Why it failed", value=lambda row: row.failure or "", width=220),
    ],
    first=4,
)


def _decision(row: RefundDecision) -> None:
    """The four references, each pinned to the hash of what it says."""
    cards.facts(
        {
            "Ground": Ground(row.ground).label,
            "Outcome": DecisionOutcome(row.outcome).label,
            "Released": row.release,
            "Refunded": row.refund,
            "Made by": row.maker,
            "Approved by": row.checker or "Needed no second person, or has none yet",
            "Refunds at Stripe": row.refunds or "None",
        },
        columns=2,
    )
    body = "".join(
        f"<tr><td>{html(Reference(each['reference']).label)}</td><td>{html(str(each['id']))}</td>"
        f'<td><span class="ed-hash">{html(str(each["sha256"]))}</span></td></tr>'
        for each in row.citations
    )
    st.html(
        '<table class="ed-diff"><thead><tr><th>Reference</th><th>Number</th><th>SHA-256</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    with st.container(horizontal=True, gap="small"):
        navigation.link("case", f"Case {row.case}", icon=":material/folder_open:", id=row.case_id)
        navigation.link("audit", "Its entries", icon=":material/verified_user:", case=row.case_id)
        for number, name in ((row.maker_id, row.maker), (row.checker_id, row.checker)):
            if number and name:
                navigation.link("people", name, icon=":material/group:", id=number)


DECISIONS = _Rows(
    "decisions",
    "Refund decisions",
    queries.refund_decisions,
    [
        tables.when("at", "Made", width=160, seconds=True),
        _to_case("case_id"),
        tables.money("refund", "Refunded", width=110),
        tables.text("ground", "Ground", value=lambda row: Ground(row.ground).label, width=170),
        tables.status("status", "State", axis="decision", width=130),
        tables.money("release", "Released", width=110),
        tables.text("outcome", "Outcome", value=lambda row: DecisionOutcome(row.outcome).label, width=130),
        *(
            tables.count(
                each.value.lower(), each.label, value=lambda row, each=each: row.cited(each), width=120
            )
            for each in Reference
        ),
        _to_project("project_id"),
        tables.text("maker", "Made by", width=130),
        tables.text("checker", "Approved by", value=lambda row: row.checker or "", width=130),
        tables.when("executed_at", "Carried out", width=160, seconds=True),
    ],
    first=4,
    panel=_decision,
    file=[tables.mono("refunds", "Refunds at Stripe"), tables.mono("plan_hash", "Hash of the plan")],
)


def _receipt(row: ReceiptEntry) -> None:
    """What was agreed when it was written."""
    cards.facts(
        {
            "Total": row.total,
            "Payer": row.payer,
            "Payee": row.payee,
            **{str(label): Money(minor, row.total.currency) for label, minor in row.lines},
        },
        columns=2,
    )
    st.caption("What was agreed when it was written")
    st.html(difference.table(difference.lines(None, row.scope, currency=row.total.currency)))
    st.caption("SHA-256 of this")
    st.code(row.scope_hash, language=None, wrap_lines=True)
    document_download.button("Download PDF", receipt_id=row.id, number=row.number)


RECEIPTS = _Rows(
    "receipts",
    "Receipts",
    queries.receipts,
    [
        tables.when("at", "Issued", width=160, seconds=True),
        tables.mono("number", "Number", width=145),
        tables.money("total", "Amount", width=110),
        tables.text("kind", "Kind", value=lambda row: TITLES[ReceiptKind(row.kind)], width=100),
        _to_party("payer", "Payer", lambda row: row.payer),
        _to_party("payee", "Payee", lambda row: row.payee),
        _to_project("project_id"),
        tables.mono("scope_hash", "Hash of the snapshot", width=150),
    ],
    first=4,
    panel=_receipt,
    file=[
        tables.text("scope", "Snapshot", value=lambda row: "; ".join(_snapshot(row))),
    ],
)


def _snapshot(row: ReceiptEntry) -> list[str]:
    return [
        f"{each.field}: {each.after}"
        for each in difference.lines(None, row.scope, currency=row.total.currency)
    ]


def _labels(members: Iterable[Any]) -> dict[str, str]:
    return {each.value: each.label for each in members}


REGISTERS: Sequence[Register] = (
    Register("Payment intents", ("intent", "Every state", _labels(ChargeStatus)), INTENTS),
    Register("Holds and releases", None, _Log("holds_and_releases", "Holds and releases")),
    Register("Refund decisions", ("decision", "Every state", _labels(DecisionStatus)), DECISIONS),
    Register("Administration", None, _Log("administration", "Administration")),
    Register("Receipts", ("kind", "Every kind", dict(TITLES)), RECEIPTS),
)
