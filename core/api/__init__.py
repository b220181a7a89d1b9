"""The marketplace's API: HTTP under `/api/v1` for every arrow of the sequence diagram that comes from outside.

Homeowners, contractors, bidding and project services live elsewhere; they come in here, through the same actions that
the desk's own pages use (milestone-payment-flow, Integration Points). A platform has keys; every request is signed,
every change carries an idempotency key, every refusal is problem+json, and what the marketplace must know is sent to
it signed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.routing import Mount
from starlette.types import ASGIApp

if TYPE_CHECKING:
    from core.desk import Desk

PREFIX = "/api/v1"


def mounts(desk: Desk) -> list[Mount]:
    """The API as one route, to be mounted beside the pages or alone."""
    from core.api.http.app import application

    return [mounted(application(desk))]


def mounted(app: ASGIApp) -> Mount:
    """Everything below the prefix, also an address with a line break in it: nothing slips past to what lies beside."""
    mount = Mount(PREFIX, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
