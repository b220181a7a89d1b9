"""The ledger is exported from the page of journals: made by the worker, there after a reload, once, for its sign-in."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.db import Database
from core.processes import exports
from core.rules.permissions import TABLE, Permission
from dashboard import navigation, request_context, server
from tests import builders, patience
from tests.builders import PEOPLE, Town
from tests.pages.downloading import fetch, offered, taken
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    builders.funded(town)
    serve(town, tmp_path)
    return town


def reloaded(app: AppTest) -> AppTest:
    """Another tab of the same sign-in."""
    other = AppTest.from_file(server.SCRIPT, default_timeout=patience.SECONDS)
    other.session_state["desk:token"] = app.session_state["desk:token"]
    other.run()
    other.switch_page(str(navigation.SCRIPTS / "journals.py"))
    other.run()
    return other


def prepared(app: AppTest) -> AppTest:
    app.button(key="export-ledger").click().run()
    app.radio(key="ledger-format").set_value("csv").run()
    next(each for each in app.button if each.label == "Prepare the file").click().run()
    assert "It waits for a worker" in words(app) + " ".join(each.proto.text for each in app.get("progress"))
    assert exports.sweep(request_context.desk()) == 1
    return app.run()


@pytest.mark.parametrize("subject", PEOPLE)
def test_it_is_offered_to_those_who_may(town: Town, subject: str) -> None:
    app = visit(town, subject, "journals")
    assert ("Export the ledger" in labels(app)) == (PEOPLE[subject][1] in TABLE[Permission.EXPORT_LEDGER])


def test_the_file_is_there_after_a_reload_once_and_for_no_other_sign_in(town: Town) -> None:
    app = prepared(visit(town, "fay", "journals"))
    (name,) = (each for each in offered(app) if each.startswith("ledger-"))

    stranger = visit(town, "fay", "journals")
    stranger.button(key="export-ledger").click().run()
    assert name not in offered(stranger)
    assert fetch(offered(app)[name], str(stranger.session_state["desk:token"])).status_code == 404

    again = reloaded(app)
    again.button(key="export-ledger").click().run()
    answer = taken(again, name)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["kind"] for row in rows} >= {"charge_settled"}

    second = taken(app, name)
    assert (second.status_code, "downloaded once" in second.text) == (409, True)
    again.run()
    assert name not in offered(again)
    assert "It was downloaded" in words(again)
    again.button(key="export-ledger").click().run()
    assert "One row a posting" in words(again), "pressed again, another can be asked for at once"


def test_another_can_be_made(town: Town) -> None:
    app = prepared(visit(town, "fay", "journals"))
    next(each for each in app.button if each.label == "Export something else").click().run()
    assert "One row a posting" in words(app)


def test_a_file_that_could_not_be_made_says_why(town: Town) -> None:
    app = visit(town, "fay", "journals")
    app.button(key="export-ledger").click().run()
    next(each for each in app.button if each.label == "Prepare the file").click().run()
    with town.database.transaction() as session:
        session.execute(text("update exports set tries = 5"))
    exports.sweep(request_context.desk())
    assert "begun 5 times" in words(app.run())


@pytest.mark.parametrize(
    ("format", "said"), [("csv", "goes on where it was"), ("xlsx", "starts from the first row")]
)
def test_that_a_worker_stopped_is_said_with_what_it_means_for_the_format(
    town: Town, format: str, said: str
) -> None:
    app = visit(town, "fay", "journals")
    app.button(key="export-ledger").click().run()
    app.radio(key="ledger-format").set_value(format).run()
    next(each for each in app.button if each.label == "Prepare the file").click().run()
    with town.database.transaction() as session:
        session.execute(text("update exports set tries = 2"))
    app.run()
    assert said in words(app) + " ".join(each.proto.text for each in app.get("progress"))
