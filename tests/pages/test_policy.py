"""The policy page: every rule of both profiles with its source, the linter, the versions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.db import Database
from core.money import percent
from core.policy import HOME_SERVICES, LEGAL_SERVICES
from core.policy.wording import exact_span
from core.records import PolicyVersion
from tests import builders
from tests.builders import PEOPLE, Town
from tests.database import as_owner
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", PEOPLE)
def test_everyone_reads_every_rule_with_its_source(town: Town, subject: str) -> None:
    shown = words(visit(town, subject, "policy"))
    for profile in (HOME_SERVICES, LEGAL_SERVICES):
        for _, label, _, source in profile.lines():
            assert label.split(",")[0] in shown
            assert source[1:].replace("'", "&#x27;") in shown
    for value in ("2.5 %", "0 %", "72 hours", "5 days", "1.5 %, at least $0.50", "$5,000.00"):
        assert f">{value}<" in shown
    assert "a complaint in between can only ask for a hold" in shown


def test_amounts_are_shown_in_the_currency_asked_for(town: Town) -> None:
    shown = words(visit(town, "fay", "policy", currency="JPY"))
    _, _, rules = shown.partition('<table class="ed-rules">')
    rules, _, _ = rules.partition("</table>")
    assert "¥40" in rules
    assert "$0.30" not in rules
    for fixed in ("$0.30", "¥40", "KWD 0.100"):
        assert fixed in shown, "each currency's fixed part is there at once"


def test_versions_say_who_changed_what_and_how_many_projects_live_under_each(town: Town) -> None:
    builders.funded(town)
    changed = HOME_SERVICES.revised(dispute_window=timedelta(days=6))
    with as_owner(town.database) as session:
        session.add(
            PolicyVersion(
                profile=changed.name,
                version=2,
                snapshot=changed.snapshot(),
                effective_at=town.now,
                proposed_by=town.staff["ada"],
                approved_by=town.staff["cora"],
            )
        )
    app = visit(town, "cora", "policy")
    versions = {
        (row["platform"], row["version"].strip()): row for row in app.dataframe[-1].value.to_dict("records")
    }
    new, old = versions["Home services", "2"], versions["Home services", "1"]
    assert (new["proposed_by"], new["approved_by"], new["now"]) == ("Ada Berg", "Cora Nwosu", "Yes")
    assert new["changes"] == "Dispute window after the notice: 5 days → 6 days"
    assert (old["projects"].strip(), old["now"], new["projects"].strip()) == ("1", "", "0")
    assert ">6 days<" in words(app)
    assert ">5 days<" in words(visit(town, "cora", "policy", home_services="1"))


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(0), "0 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=72), "72 hours"),
        (timedelta(days=2), "48 hours"),
        (timedelta(days=5), "5 days"),
        (timedelta(days=75), "75 days"),
        (timedelta(seconds=61), "61 seconds"),
    ],
)
def test_a_length_of_time_is_said_exactly(length: timedelta, said: str) -> None:
    assert exact_span(length) == said


@pytest.mark.parametrize(
    ("bps", "said"), [(250, "2.5 %"), (0, "0 %"), (290, "2.9 %"), (25, "0.25 %"), (1000, "10 %")]
)
def test_a_rate_is_said_exactly(bps: int, said: str) -> None:
    assert percent(bps) == said
