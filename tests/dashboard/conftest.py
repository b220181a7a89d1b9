"""The dashboard's own fixtures; what they are made of is in `tests.dashboard.office`."""

from __future__ import annotations

from tests.dashboard.office import http, office

__all__ = ["http", "office"]
