"""One demo for all journeys of a run, and a browser for each."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser

from tests.journeys.desk import Demo, Person, a_demo, a_person
from tests.journeys.marketplace import Marketplace, a_marketplace


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with a_demo() as running:
        yield running


@pytest.fixture
def person(demo: Demo, browser: Browser) -> Iterator[Person]:
    with a_person(demo, browser) as someone:
        yield someone


@pytest.fixture
def colleague(demo: Demo, browser: Browser) -> Iterator[Person]:
    """Someone else at the desk, in a browser of their own."""
    with a_person(demo, browser) as someone:
        yield someone


@pytest.fixture(scope="session")
def market(demo: Demo) -> Marketplace:
    return a_marketplace(demo)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a journey that fails, what stands on the page says most; where it stands in the test, and little else."""
    report = yield
    if call.excinfo is None or not report.failed:
        return report
    ours = [each for each in call.excinfo.traceback if "tests" in each.path.parts]
    lines = [f"{each.path.name}:{each.lineno + 1}: {str(each.statement).strip()}" for each in ours]
    said = [call.excinfo.exconly()[:600]]
    for person in (each for each in item.funcargs.values() if isinstance(each, Person)):
        with suppress(Exception):  # a page that is gone has nothing to say
            said += [person.page.url, *person.troubles, person.page.locator("body").inner_text()[-4_000:]]
    report.longrepr = "\n".join([*lines, *said])
    return report
