"""A sandbox of Stripe for all the lives that are led one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.gateways.stripe_sandbox import StripeSandbox
from tests.sandbox_desk import a_sandbox


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with a_sandbox(tmp_path_factory.mktemp("stripe")) as running:
        yield running
