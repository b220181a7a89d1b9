"""The team as figures and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.queries.people import Person
from dashboard.ui import cards, deadlines, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import in_words


def figures(everyone: Sequence[Person]) -> None:
    with_cases = [each for each in everyone if each.cases]
    cards.kpis(
        [
            Kpi(
                "Staff",
                sum(each.active for each in everyone),
                f"{sum(not each.active for each in everyone)} left",
            ),
            Kpi(
                "Signed in now",
                sum(bool(each.live) for each in everyone),
                f"{sum(each.live for each in everyone)} sessions",
            ),
            Kpi("Open cases", sum(each.cases for each in everyone), f"with {len(with_cases)} of the staff"),
            Kpi(
                "Ties declared",
                sum(each.ties for each in everyone),
                "kept away from those parties' cases",
            ),
        ]
    )


def columns(now: datetime) -> list[tables.Column]:
    return [
        tables.text("name", "Name", width=150),
        tables.text(
            "roles",
            "Roles",
            value=lambda row: ", ".join(in_words(each.value) for each in row.roles) or "None",
            width=150,
        ),
        tables.text(
            "seen",
            "Last seen",
            value=lambda row: deadlines.ago(row.last_seen_at, now),
            width=120,
            filed=("Last seen", lambda row: row.last_seen_at),
        ),
        tables.count("cases", "Open cases", width=90),
        tables.text(
            "signed_in",
            "Last sign-in",
            value=lambda row: deadlines.ago(row.signed_in_at, now),
            width=120,
            filed=("Last sign-in", lambda row: row.signed_in_at),
        ),
        tables.text("title", "Title", width=190),
        tables.count("live", "Sessions", width=80, help="Browsers that are signed in now."),
        tables.count("ties", "Ties", width=60),
        tables.count(
            "found", "Ties to settle", width=100, help="Found by an e-mail address, not yet answered."
        ),
        tables.text("skills", "Skills", value=lambda row: ", ".join(map(in_words, row.skills)), width=230),
        tables.text("active", "State", value=lambda row: "Active" if row.active else "Left", width=80),
    ]
