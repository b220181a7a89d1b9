"""Unexplained money on screen: one person says what it was, another agrees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import streamlit as st

from core.actions.operations import suspense
from core.queries import suspense as queries
from core.queries.bounded_list import Listed
from core.queries.suspense import SuspenseRow
from core.rules import suspense as rules
from core.rules.permissions import Permission
from core.rules.references import reference
from core.rules.suspense import TARGETS, SettledAs, fitting
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, second_person, tables, text_fields
from dashboard.ui.safe import plain
from dashboard.ui.second_person import Answer


def said(value: str | None, *items: SuspenseRow) -> str:
    return rules.words(SettledAs(value), [each.amount for each in items]) if value else ""


AMOUNT = tables.leads(
    "label",
    "Amount",
    to=lambda row: ("journal", {"id": row.journal_id}),
    width=140,
)
LINE = [
    tables.mono("transaction_id", "Balance transaction", width=200),
    tables.mono("source", "Source", width=120),
    tables.when("found_at", "Found", width=138),
]
COLUMNS = [
    AMOUNT,
    tables.text("why", "Reason unmatched", width=230),
    tables.text("proposed_as", "Proposed as", value=lambda row: said(row.proposed_as, row), width=150),
    tables.text("proposed_by", "By", value=lambda row: row.proposed_by or "", width=100),
    *LINE,
]
SETTLED = [
    AMOUNT,
    tables.text("settled_as", "It was", value=lambda row: said(row.settled_as, row), width=190),
    tables.text("proposed_by", "Proposed by", value=lambda row: row.proposed_by or "", width=115),
    tables.text("settled_by", "Approved by", width=115),
    tables.text("reason", "Reason", width=200),
    *LINE,
]
ALONE = [
    tables.text("reference", "Item"),
    tables.money("amount", "Amount"),
    tables.count("journal_id", "Journal"),
]
WHOLE = [*ALONE, *COLUMNS[1:]]
WHOLE_SETTLED = [*ALONE, *SETTLED[1:], tables.when("settled_at", "Approved at")]


def show(items: Listed[SuspenseRow]) -> None:
    """Nothing at all when everything is explained."""
    if not items:
        return
    header.section(
        f"Unexplained money ({items.total:,})",
        "Stripe lines that nothing on the desk caused. One person proposes what each was; another approves.",
    )
    tables.table(
        items,
        COLUMNS,
        key="suspense",
        download=tables.Table(
            "unexplained-money", lambda session: queries.unexplained(session, limit=None), columns=WHOLE
        ),
        name="Unexplained money",
    )
    if items.note:
        cards.note(items.note)
    proposed = sorted((each for each in items if each.proposed_as), key=_together)
    for _, together in groupby(proposed, key=_together):
        _proposal(list(together))
    unsaid = [each for each in items if not each.proposed_as]
    if unsaid and request_context.may(Permission.SETTLE_SUSPENSE):
        with cards.panel("suspense-panel"):
            _say(unsaid)


def history(items: Sequence[SuspenseRow], cursor: tables.Cursor) -> None:
    """What was explained before; nothing where nothing was."""
    if items:
        header.section("Cleared items", "What it was, and who proposed and approved it.")
        tables.table(
            items,
            SETTLED,
            key="explained",
            cursor=cursor,
            download=tables.Table(
                "explained-money",
                lambda session: tables.every(
                    lambda before, limit: queries.settled(session, before=before, limit=limit)
                ),
                columns=WHOLE_SETTLED,
            ),
            name="Explained money",
        )


def _together(item: SuspenseRow) -> tuple[int, datetime]:
    """What one person said at one time waits as one."""
    assert item.proposed_by_id is not None
    assert item.proposed_at is not None
    return item.proposed_by_id, item.proposed_at


def _proposal(items: list[SuspenseRow]) -> None:
    """What was said of these amounts: someone else agrees or rejects it, whoever said it may withdraw it."""
    first = items[0]
    with cards.panel(f"agree-{first.id}"):
        labels = ", ".join(each.label for each in items)
        target = TARGETS[SettledAs(first.proposed_as)] if first.proposed_as and first.target_id else ""
        number = reference("milestone", first.target_id or 0) if target == "milestone" else first.target_id
        about = f" ({target} {number})" if target else ""
        st.markdown(f"**{plain(labels)}**: {said(first.proposed_as, *items)}{about}")
        st.text(f"{first.proposed_by} on {deadlines.exact(first.proposed_at)}: {first.proposed_reason}")
        _answer(items)


def _answer(items: list[SuspenseRow]) -> None:
    first, numbers = items[0], [each.id for each in items]
    own = first.proposed_by_id == request_context.actor().id
    agreed = None
    if second_person.may_confirm(
        Permission.CONFIRM_SUSPENSE, lambda session: suspense.standing(session, numbers)
    ):
        agreed = Answer(
            "Approve and post",
            lambda session, actor, now, reason: suspense.confirm(
                session, actor, now=now, item_ids=numbers, reason=reason
            ),
            done="Booked: nothing is left unexplained about it.",
            icon=":material/done_all:",
        )
    if own or request_context.may(Permission.CONFIRM_SUSPENSE):
        second_person.answers(
            text_fields.named("suspense", first.id, "agree"),
            f"suspense-{first.id}",
            own=own,
            yes=agreed,
            no=Answer(
                "Reject",
                lambda session, actor, now, reason: suspense.reject(
                    session, actor, now=now, item_ids=numbers, reason=reason
                ),
                done="It is unexplained again.",
            ),
        )


def _say(items: Sequence[SuspenseRow]) -> None:
    names = {each.id: each.label for each in items}
    chosen = st.multiselect("Explain", list(names), format_func=names.__getitem__, key="suspense-items")
    amounts = [each.amount for each in items if each.id in chosen]
    settled_as = st.selectbox(
        "What it was",
        fitting(amounts),
        format_func=lambda each: rules.words(each, amounts),
        key="suspense-as",
        help="What fits the amounts chosen above: money that came in cannot be what money that went out was.",
    )
    target = None
    if settled_as in TARGETS:
        hint = next((each.milestone_id for each in items if each.id in chosen), None)
        known = hint if TARGETS[settled_as] == "milestone" else None
        target = st.number_input(
            f"Number of the {TARGETS[settled_as]}",
            min_value=1,
            value=known,
            step=1,
            key=f"suspense-target-{known}",
        )
    place = text_fields.named("suspense", 0, "explain")
    reason = reasons.line(place, key="suspense-reason")
    intent = confirm.pressed("Submit for approval", key="suspense-settle", disabled=not chosen)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: suspense.propose(
                session,
                actor,
                now=now,
                item_ids=chosen,
                settled_as=settled_as,
                reason=reason,
                target_id=int(target) if target else None,
            ),
            done="Submitted. It is booked when someone else approves it.",
            sent=[place],
        )
