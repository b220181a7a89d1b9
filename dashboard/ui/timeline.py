"""One stream of everything that happened, newest last, grouped by day. What outsiders wrote is shown as written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import streamlit as st

from core.money import Money
from dashboard.ui import deadlines
from dashboard.ui.safe import html, words_of
from dashboard.ui.status import Tone


@dataclass(frozen=True)
class TimelineItem:
    """One thing that happened. `title` is ours; `who`, `text` and the facts may be an outsider's words.

    `link` is its own address, `here` marks the one that was asked for, `new` what the reader has not seen.
    """

    at: datetime
    title: str
    who: str = ""
    text: str | None = None
    tone: Tone = "quiet"
    facts: Mapping[str, str | Money | None] = field(default_factory=dict)
    reference: str = ""
    link: str = ""
    here: bool = False
    new: bool = False
    private: bool = False


def timeline(moments: Sequence[TimelineItem], *, now: datetime) -> None:
    """Draws all moments as one element: hundreds cost as little as one."""
    ordered = sorted(moments, key=lambda moment: moment.at)
    days = groupby(ordered, key=lambda moment: moment.at.date())
    body = "".join(
        f'<li class="ed-day">{html(f"{day:%A, %-d %B %Y}")}</li>'
        + "".join(_moment(each, now) for each in group)
        for day, group in days
    )
    st.html(f'<ol class="ed-timeline">{body}</ol>')


def _moment(moment: TimelineItem, now: datetime) -> str:
    who = f'<span class="ed-who">{html(moment.who)}</span>' if moment.who else ""
    reference = f"<code>{html(moment.reference)}</code>" if moment.reference else ""
    text = f'<div class="ed-said">{html_lines(moment.text)}</div>' if moment.text else ""
    facts = "".join(
        f"<span><em>{html(label)}</em> {html(value.text() if isinstance(value, Money) else value)}</span>"
        for label, value in moment.facts.items()
        if value is not None
    )
    exactly = html(f"{deadlines.exact(moment.at)} · {deadlines.ago(moment.at, now)}")
    state = "".join(f" ed-{name}" for name in ("here", "new", "private") if getattr(moment, name))
    clock = f"{moment.at:%H:%M}"
    if moment.link:
        clock = f'<a href="{html(moment.link)}" target="_self" aria-label="Link to this entry">{clock}</a>'
    return (
        f'<li class="ed-moment ed-{moment.tone}{state}"><time title="{exactly}">{clock}</time>'
        f"<div><p><b>{html(moment.title)}</b>{who}{reference}</p>{text}"
        f"{f'<p class=ed-more>{facts}</p>' if facts else ''}</div></li>"
    )


def html_lines(text: str) -> str:
    """Text of several lines, escaped line by line: line breaks stay, nothing else does anything."""
    return "<br>".join(html(line) for line in words_of(text).splitlines())
