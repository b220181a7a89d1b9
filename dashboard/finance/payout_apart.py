"""A payout of the platform's, taken apart: what came in and went out since the payout before, then the bank."""

from __future__ import annotations

import streamlit as st

from core.errors import DeskError
from core.money import Money
from core.queries import platform_payouts as queries
from core.queries.platform_payouts import PlatformPayout, TakenApart
from core.rules.payout_parts import WORDS, Part
from dashboard import navigation, request_context
from dashboard.finance import figures
from dashboard.ui import cards, deadlines, errors, filters, header, tables

PAYOUTS = [
    tables.leads("id", "Payout", to=lambda row: ("reconciliation", {"payout": row.id}), width=240),
    tables.money("amount", "Amount", width=130),
    tables.text("where", "Where it is", width=350),
    tables.when("created_at", "Left Stripe", width=150),
    tables.when("paid_at", "Arrived", width=150),
]
LINES = [
    tables.leads(
        "journal", "Journal", to=lambda row: ("journal", {"id": row.journal_id}) if row.journal_id else None,
        value=lambda row: f"J-{row.journal_id}" if row.journal_id else "", width=80,
    ),
    tables.money("amount", "Amount", width=120),
    tables.money("fee", "Fee", width=100),
    tables.money("net", "Net", width=120),
    tables.text("category", "Category", width=130),
    tables.mono("source", "Source", width=240),
    tables.mono("id", "Balance transaction", width=250),
    tables.when("created_at", "At Stripe", width=150),
]  # fmt: skip
PARTS = [
    tables.leads(
        "words",
        "Part",
        to=lambda row: ("reconciliation", {"payout": row["payout"], "part": row["part"]}),
        width=240,
    ),
    tables.count("lines", "Lines", width=90),
    tables.money("amount", "Amount", width=160),
]


def listed() -> None:
    """Nothing where the platform was never paid out."""
    with request_context.reading() as session:
        rows = queries.page(session)
    if rows:
        header.section("Platform payouts", "Each can be taken apart, to the minor unit.")
        tables.table(
            rows,
            PAYOUTS,
            key="platform-payouts",
            download=tables.Table("platform-payouts", lambda session: queries.page(session, limit=None)),
            whole=True,
            name="Platform payouts, newest first",
        )


def show(payout: str) -> None:
    """The page of one payout; with `?part=` the lines of one figure."""
    figures.way_up("Reconciliation")
    try:
        with request_context.reading() as session:
            found = queries.apart(session, payout)
    except DeskError as missing:
        header.page("Payout")
        errors.show(missing)
        return
    row = found.payout
    header.page(f"Payout of {row.amount.text()}", row.id)
    st.text(row.where)
    booked = ", ".join(deadlines.day(each.booked_on) for each in found.bank)
    cards.facts(
        {
            "Left Stripe": row.created_at,
            "Arrived, as Stripe says": row.paid_at or "Not yet",
            "Booked by our bank": booked or "Nothing is matched with it",
        },
        columns=3,
    )
    part = filters.asked_for("part", "Part", [str(each) for each in Part])
    _sum(found)
    if part:
        _lines(row, Part(part), found.parts[Part(part)])
    _bank(found)


def _sum(found: TakenApart) -> None:
    row = found.payout
    since = f"since the payout of {deadlines.exact(found.since)}" if found.since else "since the first line"
    header.section("What it is made of", f"The lines of Stripe's statement {since}.")
    parts = [
        {"id": str(part), "payout": row.id, "part": str(part), "words": WORDS[part], "lines": found.counts[part],
         "amount": found.parts[part]}
        for part in Part
        if found.counts[part]
    ]  # fmt: skip
    tables.table(
        parts,
        PARTS,
        key="payout-parts",
        download=tables.Table("payout-parts", lambda session: parts, filter={"payout": row.id}),
        name="What the payout is made of",
        empty_state=("No other line", "Nothing came in or went out between the two payouts."),
    )
    stayed = found.stayed
    facts = {"Sum of the parts": found.came_in, "Payout": -row.amount}
    if not row.fee.is_zero:
        facts["Fee of the payout"] = -row.fee
    label = "Taken from what was there before" if stayed.is_negative else "Stayed at Stripe"
    cards.facts({**facts, label: abs(stayed)}, columns=4)
    cards.note(
        "Press a part to see its lines here. A manual payout has no list of lines at Stripe, so they are all lines "
        "in the statement's order."
    )


def _bank(found: TakenApart) -> None:
    row = found.payout
    header.section("At our bank")
    cards.note(row.where)
    for each in found.bank:
        cards.facts({"Booked on": deadlines.day(each.booked_on), "Amount": each.amount, "Text": each.words})
    with st.container(horizontal=True, gap="medium"):
        for number, label in (
            (row.journal_id, "Sent"),
            (row.paid_journal_id, "Arrived"),
            (row.failed_journal_id, "Came back"),
        ):
            if number:
                navigation.link("journal", f"{label}: J-{number}", icon=":material/menu_book:", id=number)


def _lines(row: PlatformPayout, part: Part, amount: Money) -> None:
    """The lines of one figure; the journal of each opens its postings."""
    with request_context.reading() as session:
        lines = queries.lines(session, row, part)
    of = "their fees, and of the amounts of those that are fees" if part is Part.FEES else "their amounts"
    header.section(
        f"{WORDS[part]}: {amount.text()}",
        f"{len(lines):,} line{'' if len(lines) == 1 else 's'}, the sum of {of}. A journal opens its postings.",
    )
    tables.table(
        lines,
        LINES,
        key="payout-lines",
        download=tables.Table(
            "payout-lines",
            lambda session: queries.lines(session, row, part),
            filter={"payout": row.id, "part": part},
        ),
        name=WORDS[part],
    )
