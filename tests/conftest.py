"""Fixtures that every floor's tests share: a real server, a fresh migrated database for each test, a real browser."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright

from core.db import Database
from core.embedded_postgres import Server, Urls
from tests.browser import arguments, find_browser
from tests.database import fresh_copy, migrated_template, shared_server, stop_if_unused

SLOW = ("journeys", "faults", "bench")

hypothesis.settings.register_profile("desk", deadline=None, print_blob=True)
hypothesis.settings.load_profile("desk")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a browser, kills processes or measures is slow; `make check` leaves it out."""
    for item in items:
        if any(part in SLOW for part in Path(item.path).parts):
            item.add_marker(pytest.mark.slow)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the run itself, not one of its xdist workers
        stop_if_unused()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server that all tests share; who kills or restarts one makes their own with `EmbeddedPostgres(folder)`."""
    with shared_server() as running:
        yield running


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    return migrated_template(server)


@pytest.fixture
def urls(server: Server, template: str) -> Iterator[Urls]:
    """A migrated, empty database for this test alone: `.owner_url`, `.app_url`, `.auditor_url`."""
    with fresh_copy(server, template) as copy:
        yield copy


@pytest.fixture
def bare_urls(server: Server) -> Iterator[Urls]:
    """The same without any migration applied."""
    with fresh_copy(server, None) as copy:
        yield copy


@pytest.fixture
def database(urls: Urls) -> Iterator[Database]:
    """The test's database as the dashboard and the worker see it: logged in as `app`."""
    yield from _opened(urls.app_url)


@pytest.fixture
def owner(urls: Urls) -> Iterator[Database]:
    """The same database as the owner of its tables."""
    yield from _opened(urls.owner_url)


@pytest.fixture
def auditor(urls: Urls) -> Iterator[Database]:
    """The same database, read only."""
    yield from _opened(urls.auditor_url)


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that an unprivileged account reaches too: pytest keeps its own to the user."""
    path = Path(tempfile.mkdtemp(prefix="escrow-desk-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window. `make test` finds or installs it (scripts/browser)."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=arguments())
        yield chromium
        chromium.close()
