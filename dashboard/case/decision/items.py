"""Dividing by the items of the work: what each is worth, and whether it was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.actions.decisions import drafts
from core.errors import DeskError
from core.money import Money
from core.queries.cases import CaseView
from core.rules import items
from core.rules.items import LONGEST, MOST, Done, Item
from dashboard.case.decision import drafts as draft_fields
from dashboard.case.decision.decision_input import ItemInput
from dashboard.ui import text_fields
from dashboard.ui.safe import html, plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

HALF = "50"  # where “partly” begins
STATES = {Done.FULLY: "Done", Done.PARTLY: "Partly", Done.NOT: "Not done"}


def show(case: CaseView) -> tuple[ItemInput, ...]:
    """The items as they stand. They begin as the deliverable, piece by piece, worth the same each."""
    numbers: list[int] = draft_fields.value(case.id, "items", [])
    if not numbers:
        _begin(case)
        numbers = draft_fields.value(case.id, "items", [])
    rows, spots = [], []
    with st.container(border=True, gap="small", key=f"items-{case.id}"):
        for number in numbers:
            with st.container(gap="xsmall", key=f"item-{case.id}-{number}"):
                row, spot = _row(case, number, alone=len(numbers) == 1)
                rows.append(row)
                spots.append(spot)
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(numbers) < MOST:
            st.button(
                "Add an item",
                key=f"item-{case.id}-add",
                icon=":material/add:",
                type="tertiary",
                on_click=_add,
                args=(case,),
            )
        st.button(
            "Reset",
            key=f"item-{case.id}-again",
            icon=":material/restart_alt:",
            type="tertiary",
            on_click=_begin,
            args=(case,),
            help="The deliverable again, piece by piece, worth the same each.",
        )
    _sum(case, rows, spots)
    return tuple(rows)


def _row(case: CaseView, number: int, *, alone: bool) -> tuple[ItemInput, DeltaGenerator]:
    """The item as it is typed, and the place for what is earned of it, which depends on the others."""
    name = f"item-{number}-"
    fields, said = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"), st.container()
    with fields:
        title = text_fields.line(
            drafts.place(case.id, name + "title"),
            "Item",
            key=draft_fields.key(case.id, name + "title"),
            most=LONGEST,
            placeholder="What it is",
            hidden=True,
            below=said,
        )
        value = _worth(case, name)
        _remove_button(case, number, alone=alone)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        done = _done(case, name)
        part = _part(case, name, done)
        spot = st.empty()
    row = ItemInput(title, value, done, part)
    kept = {"value": row.value, "done": row.done, "part": row.part}
    draft_fields.keep(case.id, **{name + field: each for field, each in kept.items()})
    return row, spot


def _worth(case: CaseView, name: str) -> str:
    value = st.text_input(
        f"Worth ({case.context.milestone.currency})",
        key=draft_fields.restore(case.id, name + "value", ""),
        width=112,
        max_chars=24,
        placeholder="Worth",
        label_visibility="collapsed",
    )
    return value or ""


def _remove_button(case: CaseView, number: int, *, alone: bool) -> None:
    st.button(
        "",
        key=f"item-{case.id}-{number}-away",
        icon=":material/delete:",
        type="tertiary",
        help="Remove this item",
        disabled=alone,
        on_click=_remove,
        args=(case.id, number),
    )


def _done(case: CaseView, name: str) -> Done:
    done = st.segmented_control(
        "Done?",
        list(STATES),
        format_func=STATES.__getitem__,
        required=True,
        key=draft_fields.restore(case.id, name + "done", Done.NOT),
        label_visibility="collapsed",
    )
    return done or Done.NOT


def _part(case: CaseView, name: str, done: Done) -> str:
    """How much of it, asked where it is partly done and else kept as it was."""
    part: str = draft_fields.value(case.id, name + "part", "")
    if done is not Done.PARTLY:
        return part or ""
    if not part:
        draft_fields.put(case.id, **{name + "part": HALF})
    typed = st.text_input(
        "How much of it, in percent",
        key=draft_fields.restore(case.id, name + "part", HALF),
        width=76,
        max_chars=8,
        label_visibility="collapsed",
        placeholder="%",
    )
    return typed or ""


def _sum(case: CaseView, rows: list[ItemInput], spots: list[DeltaGenerator]) -> None:
    """What is earned of each, which adds up to what is earned of them all; beside an unclear one, what is wrong."""
    held = case.context.money(case.context.order.held_minor)
    known: list[tuple[Item, DeltaGenerator]] = []
    for row, spot in zip(rows, spots, strict=True):
        try:
            item = row.item(held.currency)
            items.check((item,), item.value)
        except DeskError as error:
            spot.html(f'<span class="ed-ink-bad">{html(error.message)}</span>')
        else:
            known.append((item, spot))
    found = [item for item, _ in known]
    for part, (_, spot) in zip(items.earned(found), known, strict=True):
        spot.html(f'<span class="ed-money">{html(part)} earned</span>')
    if len(known) < len(rows):
        return
    try:
        earned = items.release(found, held)
    except DeskError as error:
        st.markdown(f":red[:material/error:] {plain(error.message)}")
        return
    st.caption(plain(f"The items sum to {held}; {earned} of it is earned, {held - earned} is refunded."))


def _begin(case: CaseView) -> None:
    held = case.context.money(case.context.order.held_minor)
    for number in draft_fields.value(case.id, "items", []):
        _forget(case.id, number)
    begun = items.proposed(case.context.milestone.deliverable, held)
    for number, (title, value) in enumerate(begun, 1):
        fields = {"title": title, "value": value.major(), "done": Done.NOT, "part": ""}
        draft_fields.put(case.id, **{f"item-{number}-{name}": each for name, each in fields.items()})
    draft_fields.put(case.id, items=list(range(1, len(begun) + 1)))


def _add(case: CaseView) -> None:
    """A new one is worth whatever the others leave."""
    held = case.context.money(case.context.order.held_minor)
    numbers: list[int] = draft_fields.value(case.id, "items", [])
    number = max(numbers, default=0) + 1
    left = held
    for each in numbers:
        try:
            left -= Money.parse(draft_fields.value(case.id, f"item-{each}-value", ""), held.currency)
        except DeskError:
            continue
    value = left.major() if left.is_positive else ""
    draft_fields.put(case.id, items=[*numbers, number], **{f"item-{number}-value": value})


def _remove(case_id: int, number: int) -> None:
    numbers: list[int] = draft_fields.value(case_id, "items", [])
    _forget(case_id, number)
    draft_fields.put(case_id, items=[each for each in numbers if each != number])


def _forget(case_id: int, number: int) -> None:
    for name in ("title", "value", "done", "part"):
        draft_fields.drop(case_id, f"item-{number}-{name}")
