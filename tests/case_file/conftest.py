"""Every test of case files has a small desk."""

from __future__ import annotations

import pytest

from core.db import Database
from tests import stories


@pytest.fixture
def town(database: Database) -> stories.Town:
    return stories.a_town(database)
