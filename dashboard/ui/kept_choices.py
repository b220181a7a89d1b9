"""A choice beside a person's words that says who reads them, or what they bring about, is kept with them.

Words that came back with another audience than they were written for would be sent to the wrong people by one press.
So the choice has a place beside theirs, begins with what was chosen when they were written, and is used up with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import streamlit as st

from dashboard.ui import text_fields

Option = TypeVar("Option", bound=str | int)


def choice_key(
    place: str, name: str, options: Sequence[Option], *, default: Option, key: str | None = None
) -> str:
    """The key of the element that offers these options, filled with what is kept; what it shows now is kept.

    An element that now stands beside the words of another place shows what was chosen there, and else stays as it is.
    """
    own = f"{place}-{name}"
    key = key or own
    mine = st.session_state.get(f"words-of:{key}") == own and f"words:{own}:kept" in st.session_state
    if not mine or key not in st.session_state:
        kept = st.session_state[f"words:{own}:kept"] = text_fields.read(own)
        st.session_state[f"words:{own}"], st.session_state[f"words-of:{key}"] = key, own
        by_name = {str(each): each for each in options}
        shown = by_name.get(kept.body, st.session_state.get(key, default))
        st.session_state[key] = shown if shown in options else default
    beside_it = st.session_state.setdefault(f"words:{place}:choices", [])
    if own not in beside_it:
        beside_it.append(own)
    shown, kept = st.session_state[key], st.session_state[f"words:{own}:kept"]
    if shown is not None and str(shown) != (kept.body or str(default)):
        text_fields.keep(own, str(shown))
    return key


def of(places: Iterable[str]) -> list[str]:
    """Where the choices beside these words are kept."""
    return [own for place in places for own in st.session_state.get(f"words:{place}:choices", [])]


def used(places: Iterable[str]) -> None:
    """An element that stays on the page goes on showing what was chosen, for the next words."""
    for own in of(places):
        st.session_state.pop(f"words:{own}:kept", None)
