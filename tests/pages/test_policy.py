"""The policy page: every rule of both profiles with its source, the linter, the versions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.db import Database
from core.money import percent
from core.policy import HOME_SERVICES, LEGAL_SERVICES, reach
from core.policy.reach import EVERY_PROJECT, EVERYBODY, NEW_PROJECTS
from core.policy.wording import exact_span
from core.records import Party, PolicyVersion
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


def proposed(town: Town, changes: dict[str, str]) -> str:
    """What the drawer says before a change is proposed; then it is."""
    app = visit(town, "ada", "policy")
    app.button(key="open-propose").click().run()
    for name, value in changes.items():
        app.selectbox(key="change-rule").select(name).run()
        app.text_input(key=f"change-value-{name}").input(value).run()
    said = words(app)
    app.text_area(key="change-reason").input("Counsel said so.").run()
    app.button(key="propose-change").click().run()
    assert not app.exception
    return said


def published(town: Town) -> tuple[str, str]:
    """What another administrator reads before they publish it, and afterwards."""
    builders.second_administrator(town)
    app = visit(town, "alf", "policy")
    (button,) = [each for each in app.button if each.label == "Decide"]
    button.click().run()
    before = words(app)
    app.button(key="publish-proposal").click().run()
    assert not app.exception
    return before, words(app)


def test_a_change_of_retention_holds_for_everybody_and_says_how_many_are_due(town: Town) -> None:
    for each in range(3):
        builders.a_party(town, "PAYER", f"Newcomer {each}")
    town.now += timedelta(days=200)
    everybody = town.read(
        lambda s: s.scalars(select(Party.id).where(Party.platform == "home_services")).all()
    )
    said = proposed(town, {"newcomer_kept": "180 days"})
    before, after = published(town)
    for each in (said, before):
        assert f"due for erasure today: {len(everybody)} by this proposal, 0 by the version in force" in each
    for each in (said, before, after):
        assert EVERYBODY in each
        assert "Projects that begin" not in each
    assert "For everybody, by the version in force" in after


def test_a_change_of_both_says_both_and_one_of_timers_nothing_of_everybody(town: Town) -> None:
    said = proposed(town, {"newcomer_kept": "180 days", "dispute_window": "6 days"})
    assert NEW_PROJECTS in said
    assert EVERYBODY.replace("It", "Retention") in said
    assert reach.sentences({"dispute_window"}) == [NEW_PROJECTS]
    assert reach.sentences({"tax_id"}) == [EVERY_PROJECT]


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
