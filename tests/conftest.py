"""Fixtures that every floor's tests share: a real server, a fresh migrated database for each test, a real browser."""

from __future__ import annotations

import gc
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from core.db import Database
from core.embedded_postgres import Server, Urls
from core.rules import RULES
from tests import builders, kept_stories, unrecorded
from tests.browser import arguments, find_browser
from tests.database import (
    fresh_copy,
    migrated_template,
    share_compiled_statements,
    shared_server,
    stop_if_unused,
)
from tests.reused_database import Copy, ReusedDatabase
from tests.rule_coverage import code_of, rules_proved_by

SLOW = ("journeys", "faults", "bench")
JOURNEYS = "tests/journeys/"
LONGEST = (
    JOURNEYS,
    "tests/demo/test_parts.py",
    "tests/faults/test_seeds.py",
    "tests/invariants/test_random_lives.py",
    "tests/test_embedded_postgres.py",
    "tests/api/test_fuzz.py",
)

hypothesis.settings.register_profile("desk", deadline=None, print_blob=True)
hypothesis.settings.load_profile("desk")


class ByFile(LoadFileScheduling):
    """What is in one file runs in one worker, one after the other; all journeys too, which share a demo."""

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEYS if nodeid.startswith(JOURNEYS) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a browser, kills processes or measures is slow, and what asks for a server stands on a database:
    `make check` leaves both out, so that it answers within a minute.

    What takes longest begins first, or one worker would be left with it at the end.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
        if any(part in SLOW for part in item.path.relative_to(item.config.rootpath).parts):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is imported stays: a collector of garbage that walks through it again and again costs a sixth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the run itself, not one of its xdist workers
        stop_if_unused()


@pytest.fixture(autouse=True)
def calls_what_it_proves(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that is named as the proof of a rule must call the rule itself, or it fails (`tests/rule_coverage.py`)."""
    proved = rules_proved_by(request.node.nodeid)
    if not proved:
        yield
        return
    code = {rule.name: code_of(rule) for rule in RULES if rule.name in proved}
    called = set()

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in wanted:
            called.add(frame.f_code)
            if called == wanted:  # watching costs time
                sys.setprofile(None)
                threading.setprofile(None)

    wanted = set(code.values())
    sys.setprofile(watch)
    threading.setprofile(watch)
    yield
    sys.setprofile(None)
    threading.setprofile(None)
    missed = [name for name, each in code.items() if each not in called]
    assert not missed, f"named as a proof of {missed}, but never calls what the rule map names"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server that all tests share; who kills or restarts one makes their own with `EmbeddedPostgres(folder)`."""
    with shared_server() as running:
        yield running


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    return migrated_template(server)


@pytest.fixture(scope="session")
def town_template(server: Server, template: str) -> Iterator[str]:
    """A database with the town of `builders.a_town` in it: most tests begin there, and a copy costs less."""
    with fresh_copy(server, template) as copy:
        for database in _opened(copy.app_url):
            builders.a_town(database)
        unrecorded.forget(copy.owner_url)
        yield copy.database


@pytest.fixture(scope="session")
def reused_empty(server: Server, template: str) -> Iterator[ReusedDatabase]:
    yield from _reused(server, template)


@pytest.fixture(scope="session")
def reused_town(server: Server, town_template: str) -> Iterator[ReusedDatabase]:
    yield from _reused(server, town_template)


def _reused(server: Server, template: str) -> Iterator[ReusedDatabase]:
    reused = ReusedDatabase(server, template)
    yield reused
    reused.close()


@pytest.fixture
def copy(request: pytest.FixtureRequest) -> Iterator[Copy]:
    """A migrated database for this test alone, as the first would find it.

    It is empty, or has the town that `builders.a_town` finds when the test asks for a `town` or a `market`. Whatever
    the test does, no status in it may change without an entry (`tests/unrecorded.py`).
    """
    in_town = {"town", "market"} & set(request.fixturenames)
    reused: ReusedDatabase = request.getfixturevalue("reused_town" if in_town else "reused_empty")
    with reused.lent() as copy:
        alike = "monkeypatch" not in request.fixturenames and request.node.get_closest_marker("lived") is None
        if in_town and alike:
            proved = rules_proved_by(request.node.nodeid)
            proves = frozenset(code_of(rule) for rule in RULES if rule.name in proved)
            kept_stories.stages[copy.urls.database] = kept_stories.Stage(copy, proves)
        yield copy
        kept_stories.stages.clear()
        if request.node.get_closest_marker("unrecorded") is None:
            assert copy.unrecorded() == [], "these changes of a status left no audit entry"


@pytest.fixture
def urls(copy: Copy) -> Urls:
    """The same: `.owner_url`, `.app_url`, `.auditor_url`."""
    return copy.urls


@pytest.fixture
def bare_urls(server: Server) -> Iterator[Urls]:
    """The same without any migration applied."""
    with fresh_copy(server, None) as copy:
        yield copy


@pytest.fixture
def database(request: pytest.FixtureRequest, urls: Urls) -> Iterator[Database]:
    """The test's database as the dashboard and the worker see it: logged in as `app`."""
    yield from _database(request, urls, urls.app_url)


@pytest.fixture
def owner(request: pytest.FixtureRequest, urls: Urls) -> Iterator[Database]:
    """The same database as the owner of its tables."""
    yield from _database(request, urls, urls.owner_url)


@pytest.fixture
def auditor(request: pytest.FixtureRequest, urls: Urls) -> Iterator[Database]:
    """The same database, read only."""
    yield from _database(request, urls, urls.auditor_url)


def _database(request: pytest.FixtureRequest, urls: Urls, url: str) -> Iterator[Database]:
    """On the connections that are there already; where a file's tests have `urls` of their own, on new ones."""
    if "copy" in request.fixturenames and (copy := request.getfixturevalue("copy")).urls is urls:
        yield copy.open(url)
    else:
        yield from _opened(url)


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    share_compiled_statements(database.engine)
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
