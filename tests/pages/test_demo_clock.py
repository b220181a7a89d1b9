"""The demo's clock as a page: what falls due, a way there, progress that outlives a reload; and no page elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.actions.demo import clock
from core.actions.milestones import verification
from core.db import Database
from core.records import DemoClock
from dashboard import navigation, request_context
from tests import builders
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", ["mia", "fay", "ada"])
def test_anyone_in_a_demo_moves_its_time_and_reads_how_far_it_has_come(town: Town, subject: str) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    app = visit(town, subject, "demo_clock")
    assert list(app.dataframe[0].value["what"]) == ["Reminder to verify", "Payer's time to answer ends"]
    app.button(key="advance-72h").click().run()
    assert not app.exception
    row = town.read(lambda session: session.get_one(DemoClock, 1))
    assert row.until - town.now == timedelta(hours=72)
    assert "The clock moves to" in words(app)
    again = visit(town, subject, "demo_clock")
    assert "Advance 72 hours" not in labels(again)
    assert "Under way" in words(again)


def test_a_span_of_ones_own_and_what_is_no_span(town: Town) -> None:
    app = visit(town, "ada", "demo_clock")
    app.text_input(key="advance-other").input("soon").run()
    app.button(key="advance-own").click().run()
    assert "“soon” is no span of time" in words(app)
    app.text_input(key="advance-other").input("3d 12h").run()
    app.button(key="advance-own").click().run()
    row = town.read(lambda session: session.get_one(DemoClock, 1))
    assert row.until - town.now == timedelta(hours=84)


def test_a_worker_that_is_silent_is_said(town: Town) -> None:
    town.act(clock.advance, town.as_staff("mia"), by="72h")
    town.wait(minutes=1)
    assert "The worker does not answer" in words(visit(town, "mia", "demo_clock"))


@pytest.mark.parametrize("update", [{"demo": False}, {"stripe_api_key": "sk_live_x"}, {"host": "0.0.0.0"}])
def test_a_real_desk_has_no_such_page(town: Town, update: dict[str, object]) -> None:
    desk = request_context.desk()
    request_context.use(replace(desk, settings=desk.settings.model_copy(update=update)))
    assert [each.value for each in visit(town, "ada", "demo_clock").title] == [
        "Cases"
    ]  # as any unknown address
    assert navigation.on_disk()["demo_clock"].of_a_demo
