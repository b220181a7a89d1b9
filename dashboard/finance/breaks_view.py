"""Breaks on screen: the list of what is open, with its filters."""

from __future__ import annotations

from datetime import datetime

from core.actions.reconciliation import breaks as actions
from core.money import CURRENCIES
from core.queries import breaks as queries
from core.queries.breaks import NOBODY, BreakFilter, BreakRow
from core.rules import breaks as rules
from dashboard import request_context
from dashboard.finance import bank_charge_rules
from dashboard.ui import cards, deadlines, filters, header, status, tables

AGES = {"1": "Over a day", "7": "Over 7 days", "30": "Over 30 days"}
SIDES = {"STRIPE": "Stripe", "BANK": "Bank", "PAYEE": "Payee at Stripe"}


def age(row: BreakRow, now: datetime) -> str:
    return deadlines.span((row.closed_at or now) - row.since)


def columns(now: datetime) -> list[tables.Column]:
    return [
        tables.opens("reference", "Break", page="reconciliation", param="break", width=70),
        tables.money("difference", "Difference", width=120),
        tables.status("state", "Status", axis="break", width=90),
        tables.status("class_", "Class", axis="break class", width=130),
        tables.text("side", "Against", value=lambda row: SIDES[row.side], width=118),
        tables.text(
            "age", "Age", value=lambda row: age(row, now), width=76, filed=("Since", lambda row: row.since)
        ),
        tables.text("owner", "Owner", value=lambda row: row.owner or "", width=120),
        tables.text("what", "What it is", width=220),
        tables.text("remark", "Remark", value=lambda row: row.remark or "", width=200),
        tables.when("waits_until", "Waits until", width=140),
        tables.when("last_seen_at", "Last seen", width=140),
    ]


def section(now: datetime) -> None:
    """What is open comes first, the longest standing on top; then what rules recognise of it."""
    with request_context.reading() as session:
        standing = queries.open_breaks(session, now=now)
        owners = actions.owners(session)
    header.section(f"Open breaks ({standing.open:,})", _note(standing, now))
    with filters.bar():
        state = filters.one_of("Not closed", status.labels("break"), key="break-status", width=130)
        kind = filters.one_of("Every class", status.labels("break class"), key="class", width=150)
        names = {NOBODY: "Nobody", **{str(number): name for number, name in owners.items()}}
        owner = filters.one_of("Every owner", names, key="owner", width=150)
        currency = filters.one_of("Currency", {each: each for each in CURRENCIES}, key="iso", width=110)
        older = filters.one_of("Any age", AGES, key="age", width=130)
        least = filters.number("At least", key="least")
    wanted = BreakFilter(
        class_=kind,
        state=state,
        owner=owner,
        currency=currency,
        older=int(older) if older else None,
        least=least,
    )
    window = tables.window("breaks-page", depends=(state, kind, owner, currency, older, least))
    with request_context.reading() as session:
        total = queries.count(session, wanted, now=now)
        rows = queries.page(session, wanted, now=now, offset=window.offset, limit=window.size)
    tables.table(
        rows,
        columns(now),
        key="breaks",
        window=window,
        total=total,
        download=tables.Table(
            "breaks",
            lambda session: tables.through(
                lambda offset, limit: queries.page(session, wanted, now=now, offset=offset, limit=limit)
            ),
            filter={
                "status": state,
                "class": kind,
                "owner": owner,
                "currency": currency,
                "older": older,
                "least": least,
            },
        ),
        name="Breaks, the longest standing first",
        empty_state=None if wanted != BreakFilter() else _nothing(standing),
    )
    bank_charge_rules.section()


def _note(standing: queries.OpenBreaks, now: datetime) -> str:
    if not standing.open:
        return ""
    parts = [f"the oldest is {deadlines.span(now - standing.oldest)} old"] if standing.oldest else []
    for number, words in (
        (standing.in_suspense, "in suspense"),
        (standing.unowned, "without an owner"),
        (standing.waiting, "waiting for a day"),
        (standing.proposed, "for a second person to approve"),
    ):
        if number:
            parts.append(f"{number:,} {words}")
    return f"{', '.join(parts)[:1].upper()}{', '.join(parts)[1:]}."


def _nothing(standing: queries.OpenBreaks) -> tuple[str, str]:
    return "No open breaks", "Whatever a run saw is explained, or both sides agree now."


def old_note(row: BreakRow) -> None:
    """Of a closed break: when and how it was closed."""
    if row.closed_at is None:
        return
    how = rules.closed_how(row.closed_as, row.closed_by)
    cards.note(f"Closed {deadlines.exact(row.closed_at)}: {how}.")
