"""What a browser is told about every answer, and what a supervisor is told about the process."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.testclient import TestClient

from core.db import Database
from dashboard import headers
from dashboard.database_outage import BUSY, SENTENCE, DatabaseAway
from tests.dashboard.desk_fixtures import Office, browser_of, sign_in
from tests.desk_fixtures import a_desk


@pytest.mark.parametrize("path", ["/healthz", "/sign-in", "/disputes", "/webhooks/stripe"])
def test_every_answer_forbids_foreign_content_and_framing(http: TestClient, path: str) -> None:
    answer = http.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_the_inline_script_of_streamlits_page_is_allowed_by_its_hash() -> None:
    assert len(headers.inline_script_hashes()) == 1
    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/]{43}='", headers.policy())


def test_the_sign_in_page_has_no_script_and_nothing_foreign(http: TestClient) -> None:
    page = http.get("/sign-in").text
    assert "<script" not in page
    assert not re.search(r"(?:src|href|action)=\"(?!/)", page)


def test_the_sign_in_page_shows_names_as_they_are_written(
    http: TestClient, office: Office, owner: Database
) -> None:
    with owner.transaction() as session:
        session.execute(text("update staff set name = '<b>Bobby</b> \"Tables\"'"))
    page = http.get("/sign-in").text
    assert "<b>Bobby" not in page
    assert "&lt;b&gt;Bobby&lt;/b&gt; &quot;Tables&quot;" in page


def test_a_process_that_is_up_says_so_even_without_a_database(office: Office) -> None:
    office.desk.database.dispose()
    with browser_of(office) as client:
        assert client.get("/healthz").json() == {"status": "up"}


def test_ready_means_every_migration_is_applied(http: TestClient, office: Office, owner: Database) -> None:
    assert http.get("/readyz").status_code == 200
    with owner.transaction() as session:
        session.execute(text("update alembic_version set version_num = '0001'"))
    answer = http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reason"].startswith("migrations are not current: the database is at 0001")


def test_an_unmigrated_database_is_not_ready(office: Office, bare_urls, tmp_path) -> None:
    bare = Database(bare_urls.owner_url)
    with TestClient(_health(a_desk(bare, tmp_path))) as client:
        assert client.get("/readyz").json() == {
            "status": "not ready",
            "reason": "the database has no tables yet",
        }
    bare.dispose()


def test_a_database_that_is_away_is_not_ready(tmp_path) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    with TestClient(_health(a_desk(away, tmp_path))) as client:
        assert client.get("/readyz").json()["reason"] == "the database cannot be reached"


@pytest.mark.parametrize(
    ("error", "sentence"), [(OperationalError("", None, Exception()), SENTENCE), (PoolExhausted(), BUSY)]
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_outage_is_said_as_what_it_is(error: Exception, sentence: str, accept: str) -> None:
    """Where every connection is in use, the database is not away."""

    async def raises(*_: object) -> None:
        raise error

    answer = TestClient(DatabaseAway(raises)).get("/", headers={"accept": accept})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert sentence in html.unescape(answer.text)


def test_metrics_are_numbers_for_this_machine_only(http: TestClient, office: Office) -> None:
    sign_in(http, office)
    assert "escrow_desk_database_up 1" in http.get("/metrics").text
    with browser_of(office, host="192.0.2.7") as afar:
        assert afar.get("/metrics").status_code == 403


def _health(desk):
    from starlette.applications import Starlette

    from dashboard import health

    return Starlette(routes=health.routes(desk))
