"""The dashboard's own fixtures; what they are made of is in `tests.dashboard.desk_fixtures`."""

from __future__ import annotations

from tests.dashboard.desk_fixtures import http, office

__all__ = ["http", "office"]
