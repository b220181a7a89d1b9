"""A desk in business for every test of what it does: real PostgreSQL, and the Stripe sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.db import Database
from core.gateways.stripe_sandbox import StripeSandbox
from tests.sandbox_desk import Market, a_market, a_sandbox


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with a_sandbox(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def market(database: Database, running_sandbox: StripeSandbox, tmp_path: Path) -> Market:
    return a_market(database, running_sandbox, tmp_path)
