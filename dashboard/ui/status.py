"""How a state is shown: as the table of all axes (`core.rules.status_labels`) calls it, with its colour.

Green: done, and well. Amber: waiting, or watched. Red: wrong, or stopped. Blue: moving by itself. Grey: at rest.
Colour is used for state only, and never alone: the label says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.rules.status_labels import AXES, Tone, in_words, label
from dashboard.ui.safe import plain

__all__ = ["COLOR", "Pill", "Tone", "in_words", "labels", "palette", "pill", "row", "show"]

COLOR: Mapping[Tone, Literal["green", "orange", "red", "blue", "gray"]] = {
    "good": "green",
    "wait": "orange",
    "bad": "red",
    "info": "blue",
    "quiet": "gray",
}


@dataclass(frozen=True)
class Pill:
    """A state as it is shown. `meaning` is the sentence that appears when one points at it."""

    label: str
    tone: Tone = "quiet"
    icon: str | None = None
    meaning: str | None = None


def pill(axis: str, value: object) -> Pill:
    """The pill of a stored value. A value that the table does not know is shown in words, in grey."""
    name = str(getattr(value, "value", value))
    found = label(axis, name)
    return Pill(found.words, found.tone, None, found.meaning) if found else Pill(in_words(name))


def labels(axis: str) -> dict[str, str]:
    """Stored value → label, in the table's order: the options of a filter."""
    return {value: shown.words for value, shown in AXES[axis].items()}


def palette(axis: str) -> tuple[list[str], list[str]]:
    """Labels and their colours, for a column of pills."""
    shown = {each.words: COLOR[each.tone] for each in AXES.get(axis, {}).values()}
    return list(shown), list(shown.values())


def show(what: Pill | str, value: object = None) -> None:
    """One pill: `show(Pill(...))` or `show("case", case.status)`."""
    each = what if isinstance(what, Pill) else pill(what, value)
    st.badge(plain(each.label), color=COLOR[each.tone], icon=each.icon, help=each.meaning)


def row(pills: Sequence[Pill]) -> None:
    """Pills beside each other; they wrap when the room is narrow."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for each in pills:
            show(each)
