"""A desk in business with its API open, and the programs of two platforms before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.gateways.stripe_sandbox import StripeSandbox
from tests.api.api_client import FIRST_INTERNAL, ApiClient, an_api_client
from tests.sandbox_desk import Market, a_market, a_sandbox

INTERNAL = ("parties", "staff", "holds", "outgoing_operations")


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with a_sandbox(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def market(database: Database, owner: Database, running_sandbox: StripeSandbox, tmp_path: Path) -> Market:
    """The desk's own numbers of people, holds and payments start where they are known when they are seen."""
    with owner.transaction() as session:
        for table in INTERNAL:
            session.execute(text(f"select setval('{table}_id_seq', {FIRST_INTERNAL}, false)"))
    market = a_market(database, running_sandbox, tmp_path)
    market.desk = replace(market.desk, evidence=EvidenceStore(tmp_path))
    return market


@pytest.fixture
def home(market: Market) -> ApiClient:
    """The home-services platform."""
    return an_api_client(market)


@pytest.fixture
def law(market: Market) -> ApiClient:
    """The legal-services platform, another tenant of the same desk."""
    return an_api_client(market, "legal_services")
