"""Filters in one row above a table. Every choice stands in the address, so a view can be sent to a colleague.

An address that asks for what a filter does not know is never answered with everything: `unreadable` says so.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from types import TracebackType
from typing import TYPE_CHECKING

import streamlit as st

from core.rules.references import whole
from dashboard.ui import deadlines
from dashboard.ui.safe import html, plain

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_tab_container import TabContainer

ALL = "All"
SHOWN = 40  # characters of what could not be read
_unread: ContextVar[list[str] | None] = ContextVar("unread", default=None)
_chosen: ContextVar[dict[str, str] | None] = ContextVar("chosen", default=None)


class Bar:
    """A row for filters; they wrap when the room is narrow. What could not be read is said under the row, and nothing
    else of the page is drawn. On paper the row is one line of what was chosen: fields are for a screen."""

    def __init__(self, key: str) -> None:
        self._place = st.container(horizontal=True, vertical_alignment="center", gap="small", key=key)
        self._paper = st.empty()
        self._chosen: dict[str, str] = {}

    def __enter__(self) -> None:
        _unread.set([])
        _chosen.set(self._chosen)
        self._place.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._place.__exit__(kind, error, trace)
        found = _unread.get()
        _unread.set(None)
        _chosen.set(None)
        if self._chosen:
            said = " · ".join(
                f"{label}: {words}" if words else label for label, words in self._chosen.items()
            )
            self._paper.html(f'<div class="ed-paper">{html(said)}</div>')
        if found and kind is None:
            _say(found)


def bar(key: str = "filters") -> Bar:
    """`key` begins with `filters`; a page that draws two gives the second another."""
    return Bar(key)


def _note(label: str, words: str = "") -> None:
    """What is chosen, for paper."""
    if (chosen := _chosen.get()) is not None:
        chosen[label] = words


def unreadable(label: str, key: str, asked: str, *, remove: bool = True) -> None:
    """What the address asks for under `key` is unknown here. In a bar it is said under it, else at once.

    `remove`: draw a button in the filter's place that takes it out of the address.
    """
    short = asked if len(asked) <= SHOWN else f"{asked[:SHOWN]}…"
    if remove:
        st.button(
            plain(f"{label}: {short}"), key=f"{key}:unread", icon=":material/close:", on_click=_take_away, args=(key,),
            help="Remove this filter",
        )  # fmt: skip
    sentence = f"“{short}” is not a valid value for “{label}”."
    found = _unread.get()
    if found is None:
        _say([sentence])
    else:
        found.append(sentence)


def _say(sentences: list[str]) -> None:
    st.warning(
        f"{plain(' '.join(sentences))} Correct or remove it; until then nothing is shown.",
        icon=":material/filter_alt_off:",
    )
    st.stop()


def _take_away(key: str) -> None:
    st.session_state.pop(key, None)
    st.query_params.pop(key, None)


def asked_number(key: str, label: str) -> int | None:
    """The whole number under this name in the address; None when there is none. What is no number is said."""
    given = st.query_params.get(key, "")
    if given and whole(given) is None:
        unreadable(label, key, given)
    return whole(given)


def asked_for(key: str, label: str, known: Container[str]) -> str | None:
    """One of the `known`, as it stands in the address; None when there is none."""
    given = st.query_params.get(key, "")
    if given and given not in known:
        unreadable(label, key, given)
        return None
    return given or None


def asked_day(key: str, label: str) -> date | None:
    """The day under this name in the address; None when there is none. What is no day is said."""
    given = st.query_params.get(key, "")
    if given and not _is_day(given):
        unreadable(label, key, given)
        return None
    return date.fromisoformat(given) if given else None


def number(label: str, *, key: str, width: int = 95) -> int | None:
    """A field for a number. What is typed and is no number is said rather than left out."""
    typed = st.text_input(
        label,
        key=key,
        placeholder=label,
        label_visibility="collapsed",
        width=width,
        max_chars=20,
        bind="query-params",
    )
    given = (typed or "").strip()
    if given and whole(given) is None:
        unreadable(label, key, given, remove=False)
    elif given:
        _note(label, given)
    return whole(given)


def dates(label: str, *, key: str, width: int = 225, latest: date | None = None) -> tuple[date, ...]:
    """A first and a last day; empty is any time."""
    for each in st.query_params.get_all(key):
        if not _is_day(each):
            unreadable(label, key, each)
            return ()
    picked = st.date_input(label, value=[], max_value=latest, key=key, format="YYYY-MM-DD",
                           label_visibility="collapsed", width=width, bind="query-params")  # fmt: skip
    days = tuple(picked) if isinstance(picked, tuple) else ()
    if days:
        _note(label, " to ".join(map(deadlines.day, dict.fromkeys(days))))
    return days


def day(label: str, *, key: str, width: int = 150, latest: date | None = None) -> date | None:
    """One day; None is today."""
    asked = st.query_params.get(key, "")
    if asked and not _is_day(asked):
        unreadable(label, key, asked)
        return None
    st.caption(plain(label), width="content")
    picked = st.date_input(label, value=None, max_value=latest, key=key, format="YYYY-MM-DD",
                           label_visibility="collapsed", width=width, bind="query-params")  # fmt: skip
    if picked is not None:
        _note(label, deadlines.day(picked))
    return picked


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def search(placeholder: str = "Search", *, key: str = "q", width: int = 260) -> str:
    """Free words. What is typed is passed to a query as a parameter, never as SQL."""
    typed = st.text_input(
        placeholder,
        key=key,
        type="search",
        placeholder=placeholder,
        label_visibility="collapsed",
        live=True,
        width=width,
        max_chars=100,
        bind="query-params",
    )
    words = (typed or "").strip()
    if words:
        _note(placeholder, words)
    return words


def choice(
    label: str, options: Mapping[str, str], *, key: str, everything: str = ALL, usual: str = ""
) -> str | None:
    """One of a few, side by side: stored value → label. None is everything; where one of them is `usual`, that is
    chosen until another is, and there is no everything."""
    names = dict(options) if usual else {"": everything, **options}
    if not _heed(label, key, names):
        return None
    picked = st.segmented_control(
        label,
        list(names),
        key=key,
        format_func=names.__getitem__,
        default=usual,
        required=True,
        label_visibility="collapsed",
        bind="query-params",
    )
    if (said := names[picked or usual]) != ALL:
        _note(label, said)
    return picked or usual or None


def one_of(label: str, options: Mapping[str, str], *, key: str, width: int = 200) -> str | None:
    """One of many, in a list that can be searched. None is everything."""
    if not _heed(label, key, options):
        return None
    picked: str | None = st.selectbox(
        label,
        list(options),
        index=None,
        key=key,
        format_func=options.__getitem__,
        placeholder=label,
        label_visibility="collapsed",
        width=width,
        bind="query-params",
    )
    if picked is not None:
        _note(label, options[picked])
    return picked


def _heed(label: str, key: str, options: Mapping[str, str]) -> bool:
    """Streamlit writes labels into the address; a link of our own may hold the stored value instead, which is written
    there as its label: Streamlit would take it out. Of what is neither, it would say nothing and choose nothing."""
    asked = st.query_params.get(key)
    if not asked or asked in options.values():
        return True
    if asked in options:
        if key not in st.session_state:  # it is drawn for the first time, from the address
            st.query_params[key] = options[asked]
            st.rerun()
        st.session_state[key] = asked
        return True
    unreadable(label, key, asked)
    return False


def toggle(label: str, *, key: str, value: bool = False) -> bool:
    """A switch."""
    if asked_for(key, label, ("true", "false")) is None and key in st.query_params:
        return value
    on = st.toggle(label, value=value, key=key, bind="query-params")
    if on:
        _note(label)
    return on


def tabs(names: Sequence[str], *, key: str) -> Sequence[TabContainer]:
    """Tabs whose name stands in the address; only the open one is to be drawn. Each is a step that Back takes again:
    an address that a widget is bound to is replaced, one that the page writes is added. Of an unknown name Streamlit
    would say nothing, and open the first."""
    asked = asked_for(key, "Tab", names)
    if st.session_state.get(key) not in names or st.session_state.get(f"{key}:asked") != asked:
        st.session_state[key] = asked or names[0]
    st.session_state[f"{key}:asked"] = asked
    return st.tabs(names, key=key, on_change=_tab_chosen, args=(key, names[0]))


def _tab_chosen(key: str, first: str) -> None:
    """The first tab needs no name in the address."""
    name = st.session_state[key]
    st.session_state[f"{key}:asked"] = None if name == first else name
    if name == first:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = name


PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "A year"}


def period(now: datetime, *, key: str = "period", default: str = "30") -> tuple[datetime, datetime]:
    """A span that ends now and begins on a midnight, UTC."""
    if not _heed("Period", key, PERIODS):
        days = default
    else:
        days = st.segmented_control(
            "Period",
            list(PERIODS),
            key=key,
            default=default,
            required=True,
            format_func=PERIODS.__getitem__,
            label_visibility="collapsed",
            bind="query-params",
        )
    _note("Period", PERIODS[days or default])
    first = (now - timedelta(days=int(days or default) - 1)).date()
    return datetime.combine(first, time(), UTC), now
