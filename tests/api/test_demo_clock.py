"""The address that moves a demo's time: for a marketplace's tests, and nowhere but in a demo."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from core.api.http import app
from core.db import Database
from core.records import DemoClock
from tests.api.api_client import ApiClient, an_api_client, code
from tests.api.test_openapi import operations
from tests.sandbox_desk import Market


@pytest.fixture
def demo(market: Market) -> ApiClient:
    market.desk = replace(market.desk, settings=market.desk.settings.model_copy(update={"demo": True}))
    return an_api_client(market)


def test_a_marketplaces_tests_move_the_clock_and_read_where_it_is(demo: ApiClient) -> None:
    before = demo.get("/demo/clock").json()
    assert (before["moving"], before["ahead_seconds"], before["until"]) == (False, 0, None)
    asked = demo.post("/demo/clock", {"by": "72h"})
    assert asked.status_code == 200
    assert asked.json()["moving"] is True
    assert demo.get("/demo/clock").json()["until"] == asked.json()["until"]
    assert code(demo.post("/demo/clock", {"by": "1h"})) == "already_moving"
    entry = text("select after from audit_entries where action = 'system:demo_clock:advance'")
    (after,) = demo.market.read(lambda session: session.scalars(entry).all())
    assert after["api_key"] == demo.issued.api_key.split("_")[1]


@pytest.mark.parametrize(
    ("by", "expected"), [("-72h", "span_unreadable"), ("soon", "span_unreadable"), ("0h", "span_unfit")]
)
def test_what_is_no_way_forward_is_refused(demo: ApiClient, by: str, expected: str) -> None:
    assert code(demo.post("/demo/clock", {"by": by})) == expected
    assert demo.market.all(DemoClock) == []


def test_a_real_desk_has_no_such_address_and_does_not_describe_it(home: ApiClient) -> None:
    for answer in (home.get("/demo/clock"), home.post("/demo/clock", {"by": "72h"})):
        assert (answer.status_code, code(answer)) == (404, "no_such_address")
    assert "/demo/clock" not in app.application(home.market.desk).openapi()["paths"]


def test_the_setting_alone_opens_nothing_where_the_database_is_no_demos(
    demo: ApiClient, owner: Database
) -> None:
    with owner.transaction() as session:
        session.execute(text("update installation set demo = false"))
    for answer in (demo.get("/demo/clock"), demo.post("/demo/clock", {"by": "72h"})):
        assert (answer.status_code, code(answer)) == (404, "no_such_address")


def test_a_demo_describes_it(demo: ApiClient) -> None:
    described = dict(operations(app.application(demo.market.desk).openapi()))
    assert described["POST /demo/clock"]["description"].endswith(".")
    assert "GET /demo/clock" in described
