"""Time on screen: in words for the eye, exact for whoever points at it. Everything is UTC and says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import streamlit as st

from dashboard.ui.safe import plain
from dashboard.ui.status import COLOR, Tone

SOON = timedelta(hours=24)
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def span(length: timedelta) -> str:
    """The largest whole unit: `3 days`, `1 hour`, `12 minutes`, `moments`. Hours are kept up to two days."""
    seconds = int(abs(length).total_seconds())
    for size, unit in _UNITS:
        count = seconds // size
        if count > (1 if unit == "day" else 0):
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "moments"


def words(due: datetime | None, now: datetime) -> str:
    """`in 4 hours`, `6 hours late`, `—` where nothing is due."""
    if due is None:
        return "—"
    return f"in {span(due - now)}" if due > now else f"{span(now - due)} late"


def ago(at: datetime | None, now: datetime) -> str:
    """`4 hours ago`; `in 4 hours` for what is still to come."""
    if at is None:
        return "—"
    return f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"


def exact(at: datetime | None) -> str:
    """`18 Nov 2026, 14:22 UTC`."""
    return "—" if at is None else f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def day(at: datetime | date) -> str:
    """`18 Nov 2026`, for what is known to the day: the one notation of days on pages. A field takes `2026-11-18`."""
    return f"{at.astimezone(UTC) if isinstance(at, datetime) else at:%-d %b %Y}"


def brief(at: datetime | None, *, seconds: bool = False) -> str:
    """`18 Nov 2026 14:22`, for a column whose title says UTC."""
    return "—" if at is None else f"{at.astimezone(UTC):%-d %b %Y %H:%M{':%S' if seconds else ''}}"


def tone(due: datetime | None, now: datetime) -> Tone:
    """Red once it is over, amber within a day, else grey."""
    if due is None:
        return "quiet"
    return "bad" if due <= now else "wait" if due - now <= SOON else "quiet"


def show(label: str, due: datetime | None, now: datetime) -> None:
    """A badge such as `Decide · in 4 hours`, with the exact time when one points at it."""
    if due is not None:
        st.badge(
            plain(f"{label} · {words(due, now)}"),
            color=COLOR[tone(due, now)],
            icon=_icon(due, now),
            help=exact(due),
        )


def _icon(due: datetime, now: datetime) -> str:
    return ":material/alarm:" if due <= now else ":material/schedule:"
