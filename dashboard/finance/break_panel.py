"""One break: what differs, both sides, the entry that would explain it, and what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import streamlit as st

from core.actions.reconciliation import breaks as actions
from core.errors import DeskError
from core.money import Money
from core.processes import break_refetch
from core.queries import breaks as queries
from core.queries import journals, suspense
from core.queries.breaks import BreakEvent, BreakRow, StatementSide
from core.queries.journals import JournalDetail
from core.queries.suspense import SuspenseRow
from core.rules import suspense as explanations
from core.rules.breaks import BreakView, Side
from core.rules.permissions import Permission
from core.rules.reconciliation import BreakKind
from core.rules.references import reference
from dashboard import navigation, request_context
from dashboard.compliance import audit_labels
from dashboard.finance import (
    bank_match_panel,
    books,
    breaks_view,
    difference_panel,
    journal_view,
    payee_break,
    reversal_panel,
)
from dashboard.finance import suspense as explaining
from dashboard.ui import cards, confirm, deadlines, header, reasons, status, tables, text_fields
from dashboard.ui.status import Pill

OF_OURS = "Its line and what caused it, as Stripe has them now."
HISTORY = [
    tables.when("at", "When"),
    tables.text("action", "What", value=lambda step: audit_labels.title(step.action)),
    tables.text("who", "By"),
    tables.text("reason", "Reason or remark", value=lambda step: step.reason or ""),
]


def badges(row: BreakRow) -> list[Pill]:
    return [status.pill("break", row.state), status.pill("break class", row.class_)]


def whole(row: BreakRow, now: datetime) -> None:
    """Everything about it, in the order in which it is asked."""
    with request_context.reading() as session:
        line = queries.statement_side(session, row)
        journal = journals.journal(session, row.journal_id) if row.journal_id else None
        item = suspense.item(session, row.suspense_item_id) if row.suspense_item_id else None
        steps = queries.history(session, row)
        together = suspense.together(session, item) if item and item.proposed_as else []
        booked = suspense.booking(session, item) if item and item.settled_as else None
    _said(row)
    _facts(row, now)
    _sides(row, line, journal)
    if item is not None:
        _explained(row, item, booked) if row.state == BreakView.CLOSED else _suspense(
            row, item, line, together
        )
        if row.side == Side.BANK:
            bank_match_panel.kept(row)
    elif row.side == Side.BANK:
        _at_the_bank(row)
    elif row.side == Side.PAYEE:
        payee_break.show(row)
    elif row.kind == BreakKind.AMOUNT_DIFFERS and row.state != BreakView.CLOSED:
        difference_panel.show(row)
    if row.state != BreakView.CLOSED and request_context.may(Permission.WORK_BREAKS):
        _work(row, now)
    _history(steps)


def _said(row: BreakRow) -> None:
    """What differs; of a closed break, how it was closed, and what differed before."""
    if row.state != BreakView.CLOSED:
        st.text(row.sentence)
        return
    breaks_view.old_note(row)
    cards.note(f"While it was open: “{row.sentence}”")


def _at_the_bank(row: BreakRow) -> None:
    """Matching by hand or taking a match apart, and the entry that reverses what only the ledger has."""
    if row.state == BreakView.CLOSED:
        bank_match_panel.kept(row)
    elif row.state != BreakView.PROPOSED and request_context.may(Permission.WORK_BREAKS):
        bank_match_panel.work(row)
    if row.kind == BreakKind.NOT_AT_PROVIDER and row.journal_id is not None:
        reversal_panel.show(row, row.journal_id)


def _facts(row: BreakRow, now: datetime) -> None:
    cards.facts(
        {
            **_amounts(row),
            "Age": f"{breaks_view.age(row, now)}, since {deadlines.exact(row.since)}",
            "Owner": row.owner or "Nobody",
            "Waits until": row.waits_until,
            "First seen": _first_seen(row),
            "Last seen": row.last_seen_at,
        }
    )
    if row.remark:
        cards.note(f"Remark: {row.remark}")
    if row.last_run_id:
        navigation.link(
            "reconciliation",
            f"Run {reference('run', row.last_run_id)}",
            icon=":material/compare_arrows:",
            id=row.last_run_id,
        )


def _amounts(row: BreakRow) -> dict[str, cards.Fact]:
    """What either side says; of a closed break, what they said while it was open, and that they agree."""
    theirs, ours = row.theirs or "Not there", row.ours or _without_posting(row)
    if row.state != BreakView.CLOSED:
        return {"Statement": theirs, "Ledger": ours, "Difference": row.difference}
    return {
        "Statement, while open": theirs,
        "Ledger, while open": ours,
        "Difference, while open": row.difference,
        "Difference now": Money.zero(row.currency),
    }


def _without_posting(row: BreakRow) -> str:
    if row.kind != BreakKind.IN_SUSPENSE:
        return "Not there"
    return "Was in suspense" if row.state == BreakView.CLOSED else "In suspense"


def _first_seen(row: BreakRow) -> str:
    by = f"by {reference('run', row.first_run_id)}, " if row.first_run_id else ""
    return f"{by}{deadlines.exact(row.opened_at)}"


def _sides(row: BreakRow, line: StatementSide | None, journal: JournalDetail | None) -> None:
    header.section("Both sides")
    with st.grid(columns=2, min_column_width=420, gap="medium"):
        _their_side(row, line)
        _our_side(journal)


def _their_side(row: BreakRow, line: StatementSide | None) -> None:
    with cards.panel("break-statement"):
        st.markdown(f"**{breaks_view.SIDES[row.side]}**")
        if row.bank_line_id is not None:
            bank_match_panel.line(row.bank_line_id)
        elif line is not None:
            cards.facts(
                {
                    "Balance transaction": line.id,
                    "Category": line.category,
                    "Source": line.source,
                    "Amount": line.amount,
                    "Fee": line.fee,
                    "Net": line.net,
                    "At Stripe": line.created_at,
                    "Read": line.fetched_at,
                },
                columns=2,
            )
        else:
            cards.note("The statement has no line that could be shown.")


def _our_side(journal: JournalDetail | None) -> None:
    with cards.panel("break-ledger"):
        st.markdown("**Ledger**")
        if journal is not None:
            _posted(journal, "Postings")
        else:
            cards.note("Nothing is booked.")


def _explained(row: BreakRow, item: SuspenseRow, booked: JournalDetail | None) -> None:
    header.section("Explanation", item.why)
    if item.settled_as:
        said = explaining.said(item.settled_as, item)
        cards.note(f"{said}: proposed by {item.proposed_by}, approved by {item.settled_by}.")
    if booked is not None:
        _posted(booked, "Entry of the explanation")


def _posted(journal: JournalDetail, name: str) -> None:
    """Its debits and credits, its day, and whether it came too late for another."""
    tables.small(journal.legs, books.LEGS, name=name)
    number, late = reference("journal", journal.id), journal_view.late(journal)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        navigation.link("journal", f"Journal {number}", icon=":material/menu_book:", id=journal.id)
        cards.note(f"Posted {deadlines.exact(journal.posted_at)}." + (f" {late}." if late else ""))


def _suspense(
    row: BreakRow, item: SuspenseRow, line: StatementSide | None, together: Sequence[SuspenseRow]
) -> None:
    header.section("Proposed entry", item.why)
    if item.proposed_as:
        explaining.proposal(list(together))
        return
    if not request_context.may(Permission.SETTLE_SUSPENSE):
        cards.note("Someone of finance proposes what it was; another approves it.")
        return
    with cards.panel("break-explain"):
        likely = None
        if line is not None:
            likely = explanations.likely(
                line.kind,
                line.category,
                item.amount,
                payment_intent=item.payment_intent,
                milestone_id=item.milestone_id,
            )
        explaining.explain([item], key=f"break-{row.id}", place=item.id, likely=likely)


def _work(row: BreakRow, now: datetime) -> None:
    header.section("What is done about it")
    owner, waiting, words = st.columns(3, gap="medium")
    with owner, cards.panel("break-owner"):
        _assign(row)
    with waiting, cards.panel("break-wait"):
        _wait(row, now)
    with words, cards.panel("break-remark"):
        _remark(row)
    if row.transaction_id is not None or row.side == Side.PAYEE:
        what = "The payee's account, as Stripe has it now." if row.side == Side.PAYEE else OF_OURS
        header.section("Fetch it again", f"{what} A break that this explains closes.")
        with cards.panel("break-refetch"):
            _fetch_again(row)


def _assign(row: BreakRow) -> None:
    with request_context.reading() as session:
        names = actions.owners(session)
    choices = [None, *names]
    chosen = st.selectbox(
        "Owner",
        choices,
        index=choices.index(row.owner_id) if row.owner_id in names else 0,
        format_func=lambda number: "Nobody" if number is None else names[number],
        key=f"break-{row.id}-owner",
    )
    place = text_fields.named("break", row.id, "assign")
    reason = reasons.line(place, key=f"break-{row.id}-owner-reason")
    if intent := confirm.pressed("Assign", key=f"break-{row.id}-assign", type="secondary"):
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.assign(
                session, actor, now=now, break_id=row.id, owner_id=chosen, reason=reason
            ),
            done="Assigned.",
            sent=[place],
        )


def _wait(row: BreakRow, now: datetime) -> None:
    first = (now + timedelta(days=1)).date()
    day = st.date_input(
        "Wait until", value=first, min_value=first, format="YYYY-MM-DD", key=f"break-{row.id}-until"
    )
    place = text_fields.named("break", row.id, "wait")
    reason = reasons.line(place, key=f"break-{row.id}-wait-reason")
    if intent := confirm.pressed("Wait", key=f"break-{row.id}-wait", type="secondary"):
        until = datetime.combine(day or first, time(), UTC)
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.wait(
                session, actor, now=now, break_id=row.id, until=until, reason=reason
            ),
            done="It waits. From that day on it is among the open ones again.",
            sent=[place],
        )


def _remark(row: BreakRow) -> None:
    place = text_fields.named("break", row.id, "remark")
    words = reasons.area(place, "Remark, for whoever looks at it next", key=f"break-{row.id}-remark")
    if intent := confirm.pressed("Save remark", key=f"break-{row.id}-keep", type="secondary"):
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.remark(session, actor, now=now, break_id=row.id, words=words),
            done="Kept.",
            sent=[place],
        )


def _fetch_again(row: BreakRow) -> None:
    """Its line and what caused it, from Stripe, once more."""
    place = text_fields.named("break", row.id, "refetch")
    reason = reasons.line(place, key=f"break-{row.id}-refetch-reason")
    if intent := confirm.pressed("Fetch from Stripe again", key=f"break-{row.id}-refetch", type="secondary"):
        confirm.carry_out(
            intent,
            lambda session, actor, now: actions.ask_again(
                session, actor, now=now, break_id=row.id, reason=reason
            ),
            done="Fetched from Stripe again. What is so now is shown here.",
            then=lambda _: _fetched(row.id),
            sent=[place],
        )


def _fetched(number: int) -> None:
    try:
        break_refetch.fetch_again(request_context.desk(), number)
    except DeskError as problem:
        header.say(header.Notice(problem.message, good=False))
    st.rerun()


def _history(steps: Sequence[BreakEvent]) -> None:
    header.section("History")
    tables.small(steps, HISTORY, name="History")
