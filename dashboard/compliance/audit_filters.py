"""Which entries of the audit log are asked for. Every filter stands in the address, under these names:

when=7, or when=dates&dates=2026-11-01&dates=2026-11-20 · who=staff:3, staff, party, system, operator · role=mediator
action=mediator:decision: · log=refund_decisions · object=hold · number=7 · case=42 · milestone=17 · project=3 ·
party=17 · reason=words of it
and what the lists offer also as it is called there: who=Maya Lindqvist, object=Hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from core.audit.filters import LOGS, AuditFilter
from core.rules import references
from core.rules.permissions import Role
from core.rules.references import ReferenceKind
from dashboard.compliance.audit_labels import OBJECTS
from dashboard.ui import filters, tables
from dashboard.ui.paging import Cursor
from dashboard.ui.status import in_words

PERIODS = {"1": "24 h", "7": "7 days", "30": "30 days", "dates": "Dates"}
# key: (label, what its number is written as, the field of the filter)
NUMBERS: Mapping[str, tuple[str, ReferenceKind | None, str]] = {
    "case": ("Case", "case", "ticket_id"),
    "milestone": ("Milestone", "milestone", "milestone_id"),
    "project": ("Project", "project", "project_id"),
    "report": ("Report", "report", "report_id"),
    "party": ("Done by party", None, "actor_id"),
}
ACTION = re.compile(r"[a-z_]+(:[a-z_]+){0,2}:?")


def ask(actions: Iterable[str], staff: Mapping[int, str], *, now: datetime) -> AuditFilter:
    """Draw the filters; what is chosen, as the log understands it."""
    with filters.bar():
        period = filters.choice("Period", PERIODS, key="when", everything="Any time")
        if period == "dates":
            filters.dates("Dates", key="dates", width=220, latest=now.date())
        who = filters.one_of("Anyone", _people(staff), key="who", width=150)
        role = filters.one_of(
            "Any role", {each.value: in_words(each.value) for each in Role}, key="role", width=124
        )
        action = filters.one_of("Any action", _prefixes(actions), key="action", width=190)
        log = filters.one_of(
            "Any log", {name: title for name, (title, _) in LOGS.items()}, key="log", width=170
        )
        words = filters.search("Reason", key="reason", width=130)
        with st.popover(_more(), icon=":material/tune:"):
            _narrow()
    given = _subject(who) | _numbers() | _object()
    since, until = _span(period, now)
    _chips()
    return AuditFilter(
        since=since, until=until, role=role, action=action, log=log, reason=words or None, **given
    )


def _people(staff: Mapping[int, str]) -> dict[str, str]:
    kinds = {
        "staff": "Staff, anyone",
        "party": "Parties, anyone",
        "system": "The system",
        "operator": "The command line",
    }
    return kinds | {f"staff:{number}": name for number, name in staff.items()}


def _prefixes(actions: Iterable[str]) -> dict[str, str]:
    """Every action, and every beginning that several share; what the address asks for is offered too."""
    found: dict[str, str] = {}
    for action in sorted(actions):
        subject, noun, _ = action.split(":")
        for prefix in (f"{subject}:", f"{subject}:{noun}:"):
            found.setdefault(prefix, f"{prefix}*")
        found[action] = action
    asked = st.query_params.get("action", "")
    return found if asked in found or not ACTION.fullmatch(asked) else {asked: f"{asked}*", **found}


def _narrow() -> None:
    """What is needed less often. The fields stay drawn while the popover is closed, and so keep what is in them."""
    kinds = {kind: noun for kind, (noun, _) in OBJECTS.items()}
    with st.container(horizontal=True, gap="small"):
        filters.one_of("Any object", kinds, key="object", width=170)
        st.text_input("Its number", key="number", placeholder="Its number", label_visibility="collapsed",
                      width=120, max_chars=80, bind="query-params")  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        for key, (label, kind, _) in NUMBERS.items():
            shown = references.reference(kind, 42) if kind else "17"
            st.text_input(label, key=key, placeholder=shown, width=94, max_chars=21, bind="query-params")


def _given() -> dict[str, str]:
    return {key: str(st.session_state.get(key) or "").strip() for key in (*NUMBERS, "object", "number")}


def _more() -> str:
    count = sum(map(bool, _given().values())) or sum(
        bool(st.query_params.get(key)) for key in (*NUMBERS, "object")
    )
    return f"More · {count}" if count else "More"


def _chips() -> None:
    """What narrows the list from inside the popover is said here, each with a way to take it away."""
    given = {key: value for key, value in _given().items() if value}
    if not given:
        return
    with st.container(horizontal=True, gap="small"):
        for key, value in given.items():
            label = NUMBERS[key][0] if key in NUMBERS else {"object": "Object", "number": "Number"}[key]
            shown = OBJECTS[value][0] if key == "object" and value in OBJECTS else value
            wrong = key in NUMBERS and number_in(key, value) is None
            st.button(
                f"{label} {shown}".replace("[", "").replace("]", "") + (" is not a number" if wrong else ""),
                key=f"chip-{key}",
                icon=":material/close:",
                on_click=_take_away,
                args=(key,),
                help="Remove this filter",
            )


def _take_away(key: str) -> None:
    st.session_state[key] = None if key == "object" else ""


def number_in(key: str, typed: str) -> int | None:
    """`D-42`, `d42` and `42` are case 42; anything else is no case."""
    kind = NUMBERS[key][1]
    return references.number_in(kind, typed) if kind else references.whole(typed.strip())


def _numbers() -> dict[str, Any]:
    """A number that cannot be read finds nothing, rather than everything."""
    given = {key: value for key, value in _given().items() if value and key in NUMBERS}
    read = {NUMBERS[key][2]: number_in(key, value) for key, value in given.items()}
    found = {field: -1 if number is None else number for field, number in read.items()}
    return found | ({"actor_kind": "party"} if "party" in given else {})


def _object() -> dict[str, Any]:
    given = _given()
    return {"object_kind": given["object"] or None, "object_id": given["number"] or None}


def _subject(who: str | None) -> dict[str, Any]:
    kind, _, number = (who or "").partition(":")
    found: dict[str, Any] = {"actor_kind": kind} if kind else {}
    return found | ({"actor_id": int(number)} if number else {})


def _span(period: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Whole days in UTC, from the first through the last; a number of days ends now."""
    if period == "dates":
        days: tuple[date, ...] = tuple(st.session_state.get("dates") or ())
        ends = [datetime.combine(day, time(), UTC) for day in days]
        return (ends[0], ends[-1] + timedelta(days=1)) if ends else (None, None)
    return (now - timedelta(days=int(period)), None) if period else (None, None)


def cursor() -> Cursor:
    """Where in the log one is. Other filters begin at the newest entry again."""
    names = ("when", "dates", "who", "role", "action", "log", "reason", "object", "number", *NUMBERS)
    return tables.cursor(depends=[str(st.session_state.get(name) or "") for name in names])
