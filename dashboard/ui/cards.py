"""Figures and facts at the top of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.money import Money
from dashboard import navigation
from dashboard.ui import deadlines
from dashboard.ui.safe import html, plain
from dashboard.ui.status import Pill, Tone

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

SMALLER = (
    (16, "ed-smallest"),
    (10, "ed-smaller"),
)  # a figure of more characters, so that it stays on one line
Fact = str | int | Money | datetime | Pill | None


FIGURE = "border:0;padding:0;gap:2px"
FIGURE_MORE = "overflow-wrap:anywhere;color:var(--ed-dim);font-variant-numeric:tabular-nums;font-size:.93rem"


@dataclass(frozen=True)
class Kpi:
    """One figure. `note` is a short line under it; `tone` colours the note and nothing else."""

    label: str
    value: str | int | Money
    note: str = ""
    tone: Tone | None = None
    help: str | None = None
    icon: str | None = None


def kpis(figures: Sequence[Kpi]) -> None:
    """Cards of one height in a row; on a narrow screen they wrap."""
    cells = "".join(_cell(figure) for figure in figures)
    st.html(f'<div class="ed-kpis">{cells}</div>')


def _cell(figure: Kpi) -> str:
    tip = f' title="{html(figure.help)}"' if figure.help else ""
    note = (
        f'<span class="ed-note ed-ink-{figure.tone or "quiet"}">{html(figure.note)}</span>'
        if figure.note
        else ""
    )
    return (
        f'<div class="ed-kpi"{tip}><span class="ed-label">{html(figure.label)}</span>'
        f"{big(_words(figure.value))}{note}</div>"
    )


def big(words: str) -> str:
    """The figure of a card. A long one is smaller, so that no amount is broken."""
    size = next((f' class="{name}"' for most, name in SMALLER if len(words) > most), "")
    return f"<b{size}>{html(words)}</b>"


def facts(each: Mapping[str, Fact], *, columns: int = 4) -> None:
    """A description list: label above value, `columns` beside each other. Values may come from outsiders."""
    cells = "".join(
        f"<div><dt>{html(label)}</dt><dd>{_fact(value)}</dd></div>" for label, value in each.items()
    )
    st.html(f'<dl class="ed-facts" style="--ed-columns:{int(columns)}">{cells}</dl>')


def panel(key: str | None = None) -> DeltaGenerator:
    """A bordered box for things that belong together."""
    return st.container(border=True, key=key)


def note(text: str) -> None:
    """A quiet line under something."""
    st.caption(plain(text))


def _fact(value: Fact) -> str:
    if isinstance(value, Pill):
        tip = f' title="{html(value.meaning)}"' if value.meaning else ""
        return f'<span class="ed-pill ed-{value.tone}"{tip}>{html(value.label)}</span>'
    if isinstance(value, datetime):
        return f"<time>{html(deadlines.exact(value))}</time>"
    if isinstance(value, Money):
        return f'<span class="ed-money">{html(value.text())}</span>'
    return html(_words(value)).replace("@", "@<wbr>")  # an address is broken there, and not within a word


def _words(value: Fact) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, Money):
        return value.text()
    return f"{value:,}" if isinstance(value, int) else str(value)


def figure(
    label: str,
    values: Sequence[Money | int | str],
    *,
    link: str,
    page: str,
    note: str = "",
    tone: Tone = "quiet",
    **params: Any,
) -> None:
    """A figure, the same in other currencies under it, a quiet line, and the way down."""
    first, *rest = [_shown(each) for each in values] or ["None"]
    more = "".join(f'<span style="{FIGURE_MORE}">{html(each)}</span>' for each in rest)
    line = f'<span class="ed-note ed-ink-{tone}">{html(note)}</span>' if note else ""
    with st.container(border=True, gap="xsmall", height="stretch", vertical_alignment="distribute"):
        st.html(
            f'<div class="ed-kpi" style="{FIGURE}"><span class="ed-label">{html(label)}</span>'
            f"{big(first)}{more}{line}</div>"
        )
        navigation.link(page, link, icon=":material/arrow_forward:", **params)


def _shown(value: Money | int | str) -> str:
    if isinstance(value, Money):
        return value.text()
    return f"{value:,}" if isinstance(value, int) else value
