"""One demo for all journeys of a run, and a browser for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.desk import Demo, Person, a_demo, a_person


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with a_demo() as running:
        yield running


@pytest.fixture
def person(demo: Demo, browser: Browser) -> Iterator[Person]:
    with a_person(demo, browser) as someone:
        yield someone
