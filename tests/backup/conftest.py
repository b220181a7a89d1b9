"""A desk in business over the Stripe sandbox that is backed up, lost, and made again in another cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.db import Database
from core.embedded_postgres import Urls
from core.gateways.evidence_store import EvidenceStore
from core.gateways.stripe_sandbox import StripeSandbox
from tests.sandbox_desk import Market, a_market, a_sandbox


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with a_sandbox(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def market(database: Database, running_sandbox: StripeSandbox, home: Path, urls: Urls) -> Iterator[Market]:
    there = moved(a_market(database, running_sandbox, home), urls, home)
    yield there
    there.database.dispose()
    there.desk.auditor.dispose()


def moved(market: Market, urls: Urls, home: Path) -> Market:
    """The same desk on another database and home."""
    known = market.desk.settings.model_copy(update=settings_of(urls, home))
    database = Database(urls.app_url)
    database.info = {"jobs": False}
    there = replace_market(market, database)
    there.desk = replace(
        market.desk,
        settings=known,
        database=database,
        auditor=Database(urls.auditor_url),
        evidence=EvidenceStore(home),
        clock=lambda: there.now,
    )
    return there


def replace_market(market: Market, database: Database) -> Market:
    known = {
        name: value for name, value in vars(market).items() if name not in ("desk", "control", "database")
    }
    return Market(database=database, **known)


def settings_of(urls: Urls, home: Path) -> dict[str, object]:
    return {
        "home": home,
        "database_url": urls.app_url,
        "database_owner_url": urls.owner_url,
        "database_auditor_url": urls.auditor_url,
    }
