"""Fees on screen: figures, chart and table of one currency."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import accumulate

from core.money import Money
from core.queries import fee_breakdown, journals
from core.queries.fee_breakdown import FeeBy, FeeRow
from core.queries.fees import FeeInterval, FeePeriod
from core.rules.references import reference
from dashboard import request_context
from dashboard.ui import cards, charts, header, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import in_words


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
            Kpi(
                "Net margin",
                total.net,
                note="before bad debts and exchange differences",
                tone="bad" if total.net.is_negative else "quiet",
                help="The income statement has those, and what was posted by hand.",
            ),
            Kpi(
                "Take rate",
                total.take_rate,
                note=f"of {total.released.text()} released" if total.released.is_positive else "",
                help="Platform fees earned by what was released to payees.",
            ),
        ]
    )


SERIES: Mapping[str, Callable[[FeePeriod], Money]] = {
    "Platform fees": lambda each: each.platform,
    "Processing fees recovered": lambda each: each.recovered,
    "Withdrawal fees": lambda each: each.withdrawal,
    "Processing fees, actual": lambda each: -each.processor,
    "Absorbed by the platform": lambda each: -each.borne,
}
BARS = 12
SHORT = 14  # characters under a bar
NONE = {FeeBy.METHOD: "No payout", FeeBy.PAYMENT_METHOD: "No payment"}
OF_PAYOUTS = (
    "Only what was booked for a payout has a payout method: the withdrawal fee, and what its payment cost. Platform "
    "fees and what payments cost stand under “No payout”; “By payment method” splits those."
)
TITLES = {
    FeeBy.METHOD: "Payout method",
    FeeBy.PLATFORM: "Marketplace",
    FeeBy.PAYMENT_METHOD: "Payment method",
}


def chart(names: Sequence[str], each: Sequence[FeePeriod]) -> None:
    """Above the line what came in, below it what went out."""
    series = {name: [value(one) for one in each] for name, value in SERIES.items()}
    moved = {name: values for name, values in series.items() if any(not value.is_zero for value in values)}
    charts.bars(
        names,
        moved,
        key="fees-chart",
        alt="Fees earned and absorbed; the same figures are in the table below.",
    )


def names(periods: Sequence[FeePeriod], step: FeeInterval) -> list[str]:
    """Of the places on the axis."""
    shown = "%-d %b" if step is FeeInterval.DAY else "%b %Y"
    return [each.begins.strftime(shown) for each in periods]


def trend(periods: Sequence[FeePeriod]) -> None:
    """What Stripe really took beside the estimate that payers paid."""
    header.section(
        "Estimated and actual processing fees", "What payers paid for, and what Stripe really took."
    )
    charts.lines(
        [each.begins for each in periods],
        {
            "Estimated": [each.estimated for each in periods],
            "Actual": [each.processor for each in periods],
        },
        key="fees-trend",
        height=200,
        alt="Estimated and actual processing fees by period; the table below has both, and their variance.",
    )
    if any(not each.variance.is_zero for each in periods):
        cards.note("Variance so far: actual less estimated, summed up since the period began.")
        so_far = accumulate((each.variance for each in periods), lambda before, more: before + more)
        charts.lines(
            [each.begins for each in periods],
            {"Variance so far": list(so_far)},
            key="fees-variance",
            height=150,
            alt="What Stripe took beyond the estimate, summed up; the table below has it by period.",
        )


COLUMNS = [
    tables.money("platform", "Platform fees"),
    tables.text("take_rate", "Take rate", width=84),
    tables.money("net", "Net margin"),
    tables.money("recovered", "Recovered"),
    tables.money("withdrawal", "Withdrawal fees"),
    tables.money("estimated", "Processing fees, estimated"),
    tables.money("processor", "Processing fees, actual"),
    tables.money("variance", "Variance"),
    tables.money("borne", "Absorbed"),
    tables.money("released", "Released"),
]
LAST = tables.day("last", "Last entry", width=110)
POSTINGS = [
    tables.opens("reference", "Journal", page="journal", value=lambda each: each.reference, width=96),
    tables.money("amount", "Amount", width=120),
    tables.text("title", "Account", width=210),
    tables.text("kind", "Kind", value=lambda each: journals.KINDS.get(each.kind, each.kind), width=210),
    tables.when("at", "Posted", width=160),
]


def breakdown(by: FeeBy, currency: str, *, since: datetime, until: datetime) -> None:
    """The same figures by what they are broken down by, and the postings of the row that is chosen."""
    found = partial(fee_breakdown.rows, by=by, currency=currency, since=since, until=until)
    cursor = (
        tables.cursor(depends=[by, currency, since], of="position") if by in fee_breakdown.OWNED else None
    )
    with request_context.reading() as session:
        rows = found(session, before=cursor.before, limit=cursor.limit) if cursor else found(session)
    shown = rows[: cursor.size] if cursor else rows
    largest = sorted(shown, key=lambda row: -abs(row.fees.platform.minor) - abs(row.fees.recovered.minor))[
        :BARS
    ]
    chart(_places(by, largest), [row.fees for row in largest])
    if len(shown) > BARS:
        cards.note(f"The chart shows the {BARS} largest of these {len(shown)}.")
    amounts = [replace(each, value=partial(_figure, each.name)) for each in COLUMNS]
    title = TITLES.get(by, by.value.capitalize())
    filter = {"currency": currency, "by": by, "from": since, "to": until}
    chosen = tables.table(
        rows,
        [tables.text("label", title, value=lambda row: label(by, row), width=230), *amounts, LAST],
        key=f"fees-{currency}-{by}",
        select=True,
        cursor=cursor,
        download=tables.Table("fees", lambda session: found(session, limit=None), filter=filter),
        name=f"Fees by {title.lower()}",
    )
    cards.note(
        "Those with the latest entry come first. The figures above are the sums of all rows; the file has every "
        "row, the largest first."
    )
    if by is FeeBy.METHOD:
        cards.note(OF_PAYOUTS)
    if chosen is None:
        cards.note("Choose a row to see its postings.")
        return
    of_row = partial(fee_breakdown.postings, by=by, of=chosen, currency=currency, since=since, until=until)
    with request_context.reading() as session:
        legs = of_row(session)
    header.section("Postings", f"of {label(by, next(row for row in rows if row.id == chosen))}, newest first")
    tables.table(
        legs,
        POSTINGS,
        key="fee-postings",
        download=tables.Table(
            "fee-postings",
            lambda session: of_row(session, limit=None),
            filter={**filter, "of": chosen},
        ),
        name="Postings on accounts of fees",
    )


def _figure(name: str, row: FeeRow) -> Money | str:
    value: Money | str = getattr(row.fees, name)
    return value


def _places(by: FeeBy, rows: Sequence[FeeRow]) -> list[str]:
    """Short names for the axis, each once: two projects or people may be called the same."""
    places: list[str] = []
    for row in rows:
        said = label(by, row)
        short = said.partition(" · ")[0] if by is FeeBy.PROJECT else said[:SHORT]
        if by is FeeBy.PAYMENT_METHOD:
            places.append(said.replace(" card", ""))
        else:
            places.append(f"{short} ({row.id})" if short in places else short)
    return places


def label(by: FeeBy, row: FeeRow) -> str:
    """Of a row; what belongs to nothing of the kind says so."""
    if not row.id:
        return NONE.get(by, "No project")
    if by is FeeBy.PROJECT:
        return f"{reference('project', int(row.id))} · {row.label}"
    if by is FeeBy.PAYMENT_METHOD:
        return fee_breakdown.method_in_words(row.label)
    return in_words(row.label) if by in (FeeBy.PLATFORM, FeeBy.METHOD) else row.label


def table(
    periods: Sequence[FeePeriod], step: FeeInterval, currency: str, *, since: datetime, until: datetime
) -> None:
    title = step.value.capitalize()
    begins = tables.text(
        "begins",
        title,
        value=lambda each: f"{each.begins:%b %Y}",
        filed=("Begins", lambda each: each.begins),
        width=150,
    )
    columns = [tables.day("begins", title, width=110) if step is FeeInterval.DAY else begins, *COLUMNS]
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
