"""Fees on screen: figures, chart and table of one currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.queries.fees import FeeInterval, FeePeriod
from dashboard.ui import cards, charts, tables
from dashboard.ui.cards import Kpi


def figures(total: FeePeriod) -> None:
    """What came in, what the processor took, what is left."""
    over = total.variance.is_positive
    cards.kpis(
        [
            Kpi("Platform fees earned", total.platform, help="Earned when held money is released."),
            Kpi("Processing fees recovered", total.recovered, help="Passed through to payers, estimated."),
            Kpi("Withdrawal fees", total.withdrawal, help="Paid by payees, by method."),
            Kpi("Processing fees, actual", total.processor, help="What Stripe really took."),
            Kpi(
                "Variance",
                total.variance,
                note="more than estimated"
                if over
                else ""
                if total.variance.is_zero
                else "less than estimated",
                tone="wait" if over else "good",
                help="Actual processing fees less what payers paid for them.",
            ),
            Kpi("Absorbed by the platform", total.borne, help="Concessions, chargeback fees and losses."),
            Kpi("Net margin", total.net, tone="bad" if total.net.is_negative else "quiet"),
        ]
    )


def chart(periods: Sequence[FeePeriod], step: FeeInterval) -> None:
    """Above the line what came in, below it what went out."""
    shown = "%-d %b" if step is FeeInterval.DAY else "%b %Y"
    series = {
        "Platform fees": [each.platform for each in periods],
        "Processing fees recovered": [each.recovered for each in periods],
        "Withdrawal fees": [each.withdrawal for each in periods],
        "Processing fees, actual": [-each.processor for each in periods],
        "Absorbed by the platform": [-each.borne for each in periods],
    }
    moved = {name: values for name, values in series.items() if any(not value.is_zero for value in values)}
    charts.bars(
        [each.begins.strftime(shown) for each in periods],
        moved,
        key="fees-chart",
        alt="Fees earned and absorbed by period; the same figures are in the table below.",
    )


def table(
    periods: Sequence[FeePeriod], step: FeeInterval, currency: str, *, since: datetime, until: datetime
) -> None:
    shown = "%-d %B %Y" if step is FeeInterval.DAY else "%B %Y"
    columns = [
        tables.text(
            "begins",
            step.value.capitalize(),
            value=lambda each: each.begins.strftime(shown),
            filed=("Begins", lambda each: each.begins),
            width=150,
        ),
        tables.money("platform", "Platform fees"),
        tables.money("recovered", "Recovered"),
        tables.money("withdrawal", "Withdrawal fees"),
        tables.money("processor", "Processing fees, actual"),
        tables.money("variance", "Variance"),
        tables.money("borne", "Absorbed"),
        tables.money("net", "Net margin"),
    ]
    newest_first = list(reversed(periods))
    tables.table(
        newest_first,
        columns,
        key=f"fees-{currency}-{step}",
        download=tables.Table(
            "fees",
            lambda session: newest_first,
            filter={"currency": currency, "by": step, "from": since, "to": until},
        ),
        name="Fees",
    )
