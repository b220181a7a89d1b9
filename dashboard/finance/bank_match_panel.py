"""A break with our bank: the line, what could be meant, matching by hand, and what nothing corresponds to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date

import streamlit as st

from core.actions.reconciliation import bank_matches as actions
from core.money import Money
from core.queries import bank_matches as queries
from core.queries import periods
from core.queries.bank_matches import BankLineView, BankMatched, BankPosting, MatchPart
from core.queries.breaks import BreakRow
from core.rules.bank_matching import MatchRule
from core.rules.permissions import Permission
from core.rules.references import reference
from core.rules.suspense import fitting
from dashboard import navigation, request_context
from dashboard.finance import suspense as explaining
from dashboard.ui import cards, confirm, deadlines, header, reasons, tables, text_fields

RULES: Mapping[str, str] = {
    "PROVIDER_ID": "Stripe's id in the text",
    "AMOUNT_AND_DATE": "Amount and date",
    "SUM": "Sum of a day",
    "BOOKED": "Booked for this line",
    "HAND": "By hand",
    "REVERSED": "A posting and its reversal",
}
MATCHES = [
    tables.leads("first_journal", "Journal", to=lambda each: ("journal", {"id": each.first_journal}),
                 value=lambda each: f"J-{each.first_journal}", width=80),
    tables.money("amount", "Amount", width=120),
    tables.text("rule", "Rule", value=lambda each: RULES[each.rule], width=200),
    tables.count("lines", "Lines", width=60),
    tables.count("postings", "Postings", width=76),
    tables.text("first_line", "First line", value=lambda each: each.first_line or "", width=240),
    tables.day("booked_on", "At the bank", width=110),
    tables.text("made_by", "By", value=lambda each: each.made_by or "The system", width=120),
    tables.when("made_at", "Matched", width=140),
]  # fmt: skip
OF_BREAK = [*MATCHES[1:], tables.text("reason", "Reason", value=lambda each: each.reason or "", width=240)]


def _part(each: MatchPart) -> str:
    if each.journal_id is None:
        return "Line of the bank"
    what = f"Posting {reference('journal', each.journal_id)}"
    return f"{what}, the difference" if each.suspense_id is not None else what


PARTS = [
    tables.text("what", "What", value=_part, width=200),
    tables.money("amount", "Amount", width=120),
    tables.day("day", "Day", width=110),
    tables.text("words", "Text", width=300),
]

FINAL = (
    "This match is final: {day} is in a closed period, which keeps its matches as they are. It can be undone only "
    "after two people have reopened that period."
)


def line(number: int | None) -> BankLineView | None:
    """The line as the bank has it, drawn; None where there is none."""
    if number is None:
        return None
    with request_context.reading() as session:
        found = queries.line(session, number)
    if found is not None:
        cards.facts(
            {
                "Booked on": deadlines.day(found.booked_on),
                "Amount": found.amount,
                "Reference": found.reference,
                "Counterparty": found.counterparty,
                "Text": found.text,
            },
            columns=2,
        )
        navigation.link(
            "bank_statements",
            f"Statement {reference('bank statement', found.statement_id)}",
            icon=":material/account_balance_wallet:",
            id=found.statement_id,
        )
    return found


def work(row: BreakRow) -> None:
    """Matching by hand, with the nearest of the other side; and of a line, what it was if nothing corresponds."""
    day = row.since.date()
    amount = row.theirs or row.ours or Money.zero(row.currency)
    with request_context.reading() as session:
        lines = queries.open_lines(session, amount, day)
        postings = queries.open_postings(session, amount, day)
    other = postings if row.bank_line_id else lines
    _candidates(queries.equal(other, amount, day), "posting" if row.bank_line_id else "line")
    with cards.panel("break-match"):
        _match(row, lines, postings)
    if row.bank_line_id is not None and row.ours is None:
        with cards.panel("break-bank-explain"):
            _explain(row, amount)


def kept(row: BreakRow) -> None:
    """What its line or posting is matched with; a match by hand can be undone, or it says why not."""
    with request_context.reading() as session:
        match = queries.of_break(session, line_id=row.bank_line_id, journal_id=row.journal_id)
        parts = queries.parts(session, match.id) if match else []
    if match is None or match.rule == MatchRule.REVERSED:
        return
    header.section("Match")
    tables.small([match], OF_BREAK, name="Match")
    tables.small(parts, PARTS, name="Lines and postings of this match")
    for each in parts:
        if each.suspense_id is not None and each.journal_id != row.journal_id:
            cards.note(_stands(each))
    if match.rule != MatchRule.HAND:
        return
    with request_context.reading() as session:
        final = actions.why_kept(session, match.id)
    if final is not None:
        cards.note(f"It cannot be undone. {final.message}")
    elif request_context.may(Permission.WORK_BREAKS):
        with st.expander("Undo this match", key=f"break-{row.id}-undo"):
            _undo(row, match)


def _stands(each: MatchPart) -> str:
    item = reference("suspense", each.suspense_id or 0)
    now = "and is explained" if each.settled else "where nobody has explained it yet"
    return f"The difference of {each.amount.text()} was booked to suspense as {item}, {now}."


def _undo(row: BreakRow, match: BankMatched) -> None:
    st.text(
        "Its lines and postings are open again. What they differed by is taken out of suspense, if nobody has "
        "explained it."
    )
    place = text_fields.named("break", row.id, "undo")
    reason = reasons.line(place, key=f"match-{match.id}-undo-reason")
    if intent := confirm.pressed("Undo match", key=f"match-{match.id}-undo", type="secondary"):
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.undo(
                session, actor, now=now, match_id=match.id, reason=reason
            ),
            done="Undone. Its lines and postings are open again.",
            sent=[place],
        )


def _candidates(many: int, noun: str) -> None:
    header.section("Candidates")
    if many > 1:
        cards.note(f"{many} {noun}s have this amount within the days that policy allows, so none was chosen.")
    elif many == 1:
        cards.note(f"One {noun} has this amount within the days that policy allows; the next run matches it.")
    else:
        cards.note(f"No {noun} has this amount within the days that policy allows. The nearest are first.")


def _match(row: BreakRow, lines: list[BankLineView], postings: list[BankPosting]) -> None:
    st.markdown("**Match by hand**")
    of_line = {each.id: each for each in lines}
    of_posting = {each.journal_id: each for each in postings}
    chosen_lines = st.multiselect(
        "Lines of the bank", list(of_line), default=[row.bank_line_id] if row.bank_line_id in of_line else [],
        format_func=lambda number: of_line[number].label, key=f"match-{row.id}-lines",
    )  # fmt: skip
    chosen = st.multiselect(
        "Postings of the ledger", list(of_posting), default=[row.journal_id] if row.journal_id in of_posting else [],
        format_func=lambda number: of_posting[number].label, key=f"match-{row.id}-postings",
    )  # fmt: skip
    total = Money.total([of_line[each].amount for each in chosen_lines], row.currency)
    booked = Money.total([of_posting[each].amount for each in chosen], row.currency)
    apart = total - booked
    cards.note(f"Lines {total.text()} · Postings {booked.text()} · Difference {apart.text()}")
    difference = False
    if not apart.is_zero and chosen and chosen_lines:
        difference = st.checkbox(
            f"Book the difference of {apart.text()} to suspense, where two people explain it",
            key=f"match-{row.id}-difference",
        )
    if chosen and chosen_lines:
        _final(
            [each.booked_on for each in map(of_line.__getitem__, chosen_lines)]
            + [of_posting[each].posted_at.astimezone(UTC).date() for each in chosen]
        )
    place = text_fields.named("break", row.id, "match")
    reason = reasons.line(place, key=f"match-{row.id}-reason")
    if intent := confirm.pressed("Match", key=f"match-{row.id}", disabled=not (chosen and chosen_lines)):
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.by_hand(
                session, actor, now=now, line_ids=chosen_lines, journal_ids=chosen, reason=reason,
                difference=difference,
            ),
            done="Matched.",
            sent=[place],
        )  # fmt: skip


def _final(days: Sequence[date]) -> None:
    """Said before the press: a match that touches a closed period is not undone."""
    with request_context.reading() as session:
        closed = [each for each in days if not periods.is_open(session, each)]
    if closed:
        st.warning(FINAL.format(day=f"{min(closed):%-d %b %Y}"), icon=":material/lock:")


def _explain(row: BreakRow, amount: Money) -> None:
    st.markdown("**Nothing in the ledger corresponds**")
    ways = fitting([amount], at_the_bank=True)
    what = explaining.what_it_was("What it was", ways, [amount], key=f"bank-{row.id}-as")
    target = explaining.asked_target(what, f"bank-{row.id}", [amount])
    if what:
        explaining.preview("bank", amount, what, target)
        explaining.at_once(amount)
    place = text_fields.named("break", row.id, "explain")
    reason = reasons.line(place, key=f"bank-{row.id}-reason")
    intent = confirm.pressed("Submit for approval", key=f"bank-{row.id}-explain", disabled=not what)
    if intent and what:
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.explain(
                session,
                actor,
                now=now,
                line_ids=[row.bank_line_id or 0],
                settled_as=what,
                reason=reason,
                target_id=target,
            ),
            done="The line is booked to suspense, and its explanation waits for someone else.",
            sent=[place],
        )
