"""A terminal on a desk in business: a real database, and for some the Stripe sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.db import Database
from core.embedded_postgres import Urls
from core.gateways.stripe_sandbox import StripeSandbox
from tests import builders
from tests.cli.terminal import Terminal
from tests.sandbox_desk import a_sandbox


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def town(database: Database) -> builders.Town:
    return builders.a_town(database)


@pytest.fixture
def terminal(urls: Urls, home: Path) -> Terminal:
    """The environment of an installation, each role with a login of its own."""
    return Terminal(
        {
            "DATABASE_URL": urls.app_url,
            "DATABASE_OWNER_URL": urls.owner_url,
            "DATABASE_AUDITOR_URL": urls.auditor_url,
            "STRIPE_API_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "ESCROW_DESK_HOME": str(home),
            "XDG_CONFIG_HOME": str(home.parent / "config"),
        }
    )


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with a_sandbox(tmp_path_factory.mktemp("stripe")) as running:
        yield running
