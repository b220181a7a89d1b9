"""One demo for all journeys of a run, and a browser for each."""

from __future__ import annotations

from collections.abc import Iterator

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
