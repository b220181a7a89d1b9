"""Chargebacks that need a response, how many are due within seven, three and one days, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from core.policy.limits import CHARGEBACK_ALARMS
from core.queries import chargebacks
from core.queries.chargebacks import DueRow
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import Tone

TONES: Mapping[int, Tone] = dict(zip(CHARGEBACK_ALARMS, ("quiet", "wait", "bad"), strict=True))


def panel(urgent: Sequence[DueRow], now: datetime) -> None:
    """Figures, and the queue while something waits."""
    first = urgent[0].row.due_by if urgent else None
    near = {
        days: [each for each in urgent if each.row.due_by and each.row.due_by - now <= timedelta(days=days)]
        for days in CHARGEBACK_ALARMS
    }
    cards.kpis(
        [
            Kpi(
                "Response due",
                len(urgent),
                note=f"the first {deadlines.words(first, now)}" if first else "",
                tone=deadlines.tone(first, now),
                help="The bank sets the deadline.",
            ),
            *(
                Kpi(
                    f"Within {days} {'day' if days == 1 else 'days'}",
                    len(found),
                    note=", ".join(each.row.reference for each in found[:3]),
                    tone=TONES[days],
                    help="Finance and compliance are told by e-mail when this is reached.",
                )
                for days, found in near.items()
            ),
        ]
    )
    if not urgent:
        return
    header.section("Response due", "The most urgent first.")
    tables.table(
        urgent,
        [
            tables.opens(
                "reference", "Chargeback", page="chargebacks", value=lambda each: each.row.reference, width=92
            ),
            tables.due(
                "answer_by", "Evidence due", value=lambda each: each.row.answer_by, now=now, width=120
            ),
            tables.money("amount", "Disputed amount", value=lambda each: each.row.amount, width=120),
            tables.text("why", "Reason", value=lambda each: each.row.why, width=150),
            tables.text("standing", "Answer", width=280),
            tables.text("milestone", "Milestone", value=lambda each: each.row.milestone, width=180),
        ],
        key="chargebacks-due",
        download=tables.Table("chargebacks-due", chargebacks.due_queue),
        name="Chargebacks that need a response",
    )
