"""Every test of case files has a small desk."""

from __future__ import annotations

import pytest

from core.db import Database
from tests import builders


@pytest.fixture
def town(database: Database) -> builders.Town:
    return builders.a_town(database)
