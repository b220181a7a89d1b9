"""A desk in business beside a Stripe sandbox whose clock is the computer's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.clock import system_clock
from core.db import Database
from core.desk import clock_of
from core.gateways.stripe_sandbox import StripeSandbox
from tests.sandbox_desk import Market, a_market, a_sandbox


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with a_sandbox(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def market(database: Database, running_sandbox: StripeSandbox, tmp_path: Path) -> Market:
    """A demo: what people do happens now, and the desk's clock can be moved."""
    market = a_market(database, running_sandbox, tmp_path, demo=True)
    market.now = system_clock()
    market.desk = replace(market.desk, clock=clock_of(market.desk.settings, database))
    return market
