"""Fields for words of a person, which are not lost: what is typed is saved while it is typed, and a line under the
field says so only when it is so.

The browser saves (`live/typing.js`, `dashboard.autosave`); a run of the page saves what it is handed where no browser
does. The page is not drawn again for typing. Every field with words belongs to a place (`core.rules.text_fields`).
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable
from contextlib import nullcontext
from html import escape
from typing import TYPE_CHECKING

import streamlit as st
from sqlalchemy.orm import Session

from core.actions.cases import unsent_text
from core.actions.cases.unsent_text import ChangedInAnotherTab, Shown, Words
from core.errors import DeskError
from core.rules import text_fields
from dashboard import autosave, request_context
from dashboard.ui import components

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

TAB = "desk:tab"
BEGUN = "desk:begun"


named = text_fields.named


def listen() -> None:
    """Once a page: the browser's own hand, which saves while one types."""
    actor, now = request_context.actor(), request_context.now()
    if "desk:tab-key" not in st.session_state:
        key = request_context.desk().database.run(
            lambda session: unsent_text.tab_key(session, actor, now=now)
        )
        st.session_state["desk:tab-key"] = base64.b64encode(key).decode()
    with st.container(key="desk-typing"):
        key, again = st.session_state["desk:tab-key"], st.session_state.get(BEGUN, (0, []))
        data = {"staff": actor.id, "tab": tab(), "key": key, "again": list(again)}
        components.mount("typing", key="typing", data=data, triggers=())


def area(
    place: str,
    label: str,
    *,
    key: str | None = None,
    default: str = "",
    height: int = 96,
    placeholder: str = "",
    hidden: bool = False,
    least: int = 0,
    most: int = 10_000,
    help: str | None = None,
) -> str:
    """A field of several lines. It begins with what this person last left in this place, or `default`."""
    name = _begin(place, key, default)
    written = st.text_area(
        label,
        key=name,
        height=height,
        max_chars=most,
        placeholder=placeholder,
        help=help,
        label_visibility="collapsed" if hidden else "visible",
        on_change="ignore",
    )
    return _end(place, name, written or "", least=least, most=most)


def line(
    place: str,
    label: str,
    *,
    key: str | None = None,
    most: int = 300,
    placeholder: str = "",
    hidden: bool = False,
    below: DeltaGenerator | None = None,
) -> str:
    """A field of one line. `below`: where it is said whether it is saved, if not right under it."""
    name = _begin(place, key, "")
    written = st.text_input(
        label,
        key=name,
        max_chars=most,
        placeholder=placeholder,
        label_visibility="collapsed" if hidden else "visible",
        on_change="ignore",
    )
    with below or nullcontext():
        return _end(place, name, written or "", least=0, most=most)


def text(place: str, default: str = "") -> str:
    """What stands there: in its field while it is drawn, else what is kept."""
    name = st.session_state.get(f"words:{place}")
    if name and name in st.session_state:
        return str(st.session_state[name] or "")
    return read(place).body or default


def put(place: str, body: str) -> None:
    """Instead of what stands there. For callbacks, and before the field is drawn."""
    actor, now, own = request_context.actor(), request_context.now(), tab()
    request_context.desk().database.run(
        lambda session: unsent_text.put(session, actor, now=now, place=place, body=body, tab=own)
    )
    forget(place)


def settle(place: str) -> None:
    """What the field holds is kept before an action reads it from there."""
    for shown in on_screen([place]):
        keep(place, shown.body)


def keep(place: str, body: str) -> None:
    """What a field or a choice shows is kept, whatever was kept there."""
    actor, now, own = request_context.actor(), request_context.now(), tab()
    st.session_state[f"words:{place}:kept"] = request_context.desk().database.run(
        lambda session: unsent_text.put(session, actor, now=now, place=place, body=body, tab=own)
    )


def on_screen(places: Iterable[str]) -> list[Shown]:
    """What the fields of these places show, of those that are drawn."""
    found = []
    for place in places:
        name, kept = st.session_state.get(f"words:{place}"), st.session_state.get(f"words:{place}:kept")
        if kept and name and name in st.session_state:
            value = st.session_state[name]
            found.append(Shown(place, "" if value is None else str(value), kept.version))
    return found


def forget(place: str) -> None:
    """The field starts again with what is kept, when it is drawn again; other tabs look at what they show there."""
    if name := st.session_state.pop(f"words:{place}", None):
        st.session_state.pop(name, None)
    number, places = st.session_state.get(BEGUN, (0, []))
    st.session_state[BEGUN] = number + 1, [*places, place][-20:]


def _begin(place: str, key: str | None, default: str) -> str:
    """The key of the field, filled with what is kept; again when the same field now belongs to another place."""
    name = key or place
    known = st.session_state.get(f"words:{place}")
    owner = st.session_state.get(f"words-of:{name}")
    if name not in st.session_state or known != name or owner != place:
        kept = read(place)
        st.session_state[name] = default if kept.sent or not kept.version else kept.body
        st.session_state[f"words:{place}"], st.session_state[f"words-of:{name}"] = name, place
        st.session_state[f"words:{place}:kept"] = kept
    return name


def _end(place: str, name: str, written: str, *, least: int, most: int) -> str:
    kept = _keep(place, written)
    now = request_context.now()
    facts = {
        "place": place,
        "field": f".st-key-{re.sub(r'[^a-zA-Z0-9_-]', '-', name)}",
        "version": kept.version,
        "saved": base64.b64encode(kept.body.encode()).decode(),
        "at": autosave.clock(kept.at, now) if kept.body else "",
        "least": least,
        "most": most,
    }
    facts["mark"] = f"{kept.version}"
    # Not by `safe.html`, which bounds a line for readers: a machine reads these.
    attributes = " ".join(f'data-{each}="{escape(str(value))}"' for each, value in facts.items())
    st.html(f'<div class="ed-typed" role="status" {attributes}></div>')
    return written


def _keep(place: str, body: str) -> Words:
    """As the page was handed it, unless the browser saves in this tab, or another tab has saved since."""
    kept: Words = st.session_state[f"words:{place}:kept"]
    if body == kept.body or (kept.sent and not body):
        return kept
    actor, now, own = request_context.actor(), request_context.now(), tab()

    def work(session: Session) -> Words:
        return unsent_text.save(session, actor, now=now, place=place, body=body, base=kept.version, tab=own)

    try:
        kept = request_context.desk().database.run(work)
    except ChangedInAnotherTab:
        return kept  # by the browser in this tab, or in another tab: the line under the field says which
    except DeskError:
        return kept  # the browser says why
    st.session_state[f"words:{place}:kept"] = kept
    return kept


def read(place: str) -> Words:
    with request_context.reading() as session:
        return unsent_text.find(session, request_context.actor(), place=place)


def tab() -> str:
    """This tab, as long as its page is not loaded again."""
    name: str = st.session_state.setdefault(TAB, secrets.token_hex(8))
    return name
