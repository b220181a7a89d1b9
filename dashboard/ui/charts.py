"""Charts that follow the theme. Plotly is imported when the first chart is drawn, never by a page without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.money import Money, digits

if TYPE_CHECKING:
    import plotly.graph_objects as go

Step = Literal["total", "in", "out"]
LIGHT = {
    "good": "#0E8F6B",
    "bad": "#C2362F",
    "wait": "#B97A0A",
    "info": "#2A57C7",
    "quiet": "#6A7686",
    "line": "#E1E6ED",
}
DARK = {
    "good": "#35B88F",
    "bad": "#EB6A62",
    "wait": "#DDA033",
    "info": "#6C93F5",
    "quiet": "#8D99AA",
    "line": "#29313D",
}

# Series are told apart without the three colours of state.
SERIES = {
    "light": ["#2A57C7", "#8FAEF2", "#7353BA", "#5E6B7E", "#B8C1CE"],
    "dark": ["#6C93F5", "#3E5FB0", "#A58AE6", "#94A1B3", "#566273"],
}


def waterfall(
    steps: Sequence[tuple[str, Money, Step]], *, key: str, height: int = 280, alt: str | None = None
) -> None:
    """How one sum becomes others: totals stand on the ground, what comes in or goes out hangs between them."""
    import plotly.graph_objects as go

    ink = _ink()
    bar = go.Waterfall(
        x=[label for label, _, _ in steps],
        measure=["total" if step == "total" else "relative" for _, _, step in steps],
        y=[_scaled(amount if step != "out" else -abs(amount)) for _, amount, step in steps],
        base=0,
        text=[amount.text() for _, amount, _ in steps],
        textposition="outside",
        hovertemplate="%{x}<br>%{text}<extra></extra>",
        connector={"line": {"color": ink["line"], "width": 1}},
        totals={"marker": {"color": ink["info"]}},
        increasing={"marker": {"color": ink["info"]}},
        decreasing={"marker": {"color": ink["wait"]}},
    )
    if (
        steps and steps[0][2] == "total"
    ):  # a total is what came before it, and before the first there is nothing
        bar.measure = ("relative", *bar.measure[1:])
    _draw(go.Figure(bar), key, height, alt, currency=_currency([amount for _, amount, _ in steps]))


def bars(
    x: Sequence[str | date],
    series: Mapping[str, Sequence[Money | int]],
    *,
    key: str,
    stacked: bool = True,
    height: int = 260,
    alt: str | None = None,
) -> None:
    """Amounts or counts by day, month or name; series stand on each other unless `stacked` is False."""
    import plotly.graph_objects as go

    figure = go.Figure([go.Bar(x=list(x), name=name, **_values(values)) for name, values in series.items()])
    figure.update_layout(barmode="relative" if stacked else "group", bargap=0.25)
    if x and isinstance(x[0], date):
        _days(figure)
    _draw(
        figure,
        key,
        height,
        alt,
        currency=_currency([value for values in series.values() for value in values]),
    )


def lines(
    x: Sequence[date],
    series: Mapping[str, Sequence[Money | int]],
    *,
    key: str,
    filled: bool = False,
    height: int = 260,
    alt: str | None = None,
) -> None:
    """Amounts or counts over time."""
    import plotly.graph_objects as go

    fill = "tozeroy" if filled else None
    figure = go.Figure(
        [
            go.Scatter(x=list(x), name=name, mode="lines", line={"width": 2}, fill=fill, **_values(values))
            for name, values in series.items()
        ]
    )
    figure.update_layout(hovermode="x unified")
    _days(figure)
    _draw(
        figure,
        key,
        height,
        alt,
        currency=_currency([value for values in series.values() for value in values]),
    )


def _days(figure: go.Figure) -> None:
    """As days are written everywhere."""
    figure.update_xaxes(tickformat="%-d %b", hoverformat="%-d %b %Y")


def _values(values: Sequence[Money | int]) -> dict[str, Any]:
    shown = [value.text() if isinstance(value, Money) else f"{value:,}" for value in values]
    return {"y": [_scaled(value) for value in values], "customdata": shown, "hovertemplate": "%{customdata}"}


def _scaled(value: Money | int) -> float | int:
    """Only the height of a bar. The amount that is read beside it is the exact text."""
    return value.minor / 10 ** digits(value.currency) if isinstance(value, Money) else value


def _ink() -> dict[str, str]:
    return DARK if st.context.theme.type == "dark" else LIGHT


def _currency(values: Sequence[Money | int]) -> str:
    """The one currency on the axis; nothing for counts, or where currencies are mixed."""
    found = {value.currency for value in values if isinstance(value, Money)}
    return found.pop() if len(found) == 1 else ""


def _ticks(figure: go.Figure, currency: str) -> dict[str, Any]:
    """Some five round amounts, written as every other amount is: -$2,000."""
    if figure.layout.barmode == "relative":
        places = list(zip_longest(*(each.y for each in figure.data), fillvalue=0))
    else:  # nothing stands on anything else
        places = [(y,) for each in figure.data for y in each.y]
    high = max((sum(y for y in place if y > 0) for place in places), default=0)
    hangs = figure.data[0].type == "waterfall"  # its steps are written as negative, and hang above the ground
    low = 0 if hangs else min((sum(y for y in place if y < 0) for place in places), default=0)
    least = 10 ** digits(currency)
    step = _round_step(int((high - low) * least))
    whole = step % least == 0
    at = range(int(low * least) // step * step, int(high * least) + step + 1, step)
    return {
        "tickvals": [each / least for each in at],
        "ticktext": [_tick(Money(each, currency), whole=whole) for each in at],
    }


def _round_step(extent: int) -> int:
    """1, 2 or 5 with zeros: some five of it are the extent, in minor units."""
    zeros: int = 10 ** (len(str(max(extent // 5, 1))) - 1)
    return next(each * zeros for each in (1, 2, 5, 10) if each * zeros * 5 >= extent)


def _tick(amount: Money, *, whole: bool) -> str:
    return amount.text().partition(".")[0] if whole else amount.text()


def crowded(figure: go.Figure) -> bool:
    """Whether there are so many places on the axis that not each can be named."""
    return any(len(each.x or ()) > 12 for each in figure.data)


def _draw(figure: go.Figure, key: str, height: int, alt: str | None, *, currency: str) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        showlegend=len(figure.data) > 1,
        legend={"orientation": "h", "y": 1.12, "x": 0},
        font={"family": "Inter, sans-serif", "size": 12},
        dragmode=False,
        colorway=SERIES["dark" if _ink() is DARK else "light"],
    )
    # More than a dozen names under the bars would stand on end.
    figure.update_xaxes(showgrid=False, fixedrange=True, nticks=12, tickangle=0 if crowded(figure) else None)
    figure.update_layout(separators=".,")
    ticks = _ticks(figure, currency) if currency else {"tickformat": ",~f", "nticks": 6}
    figure.update_yaxes(gridcolor=_ink()["line"], zeroline=False, fixedrange=True, **ticks)
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)
