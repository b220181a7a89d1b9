"""Where seeds begin: desks at which people have been at work for weeks, with money everywhere that it can be.

A world is lived once, without any fault, and kept: its database as a template, its Stripe in the sandbox's memory. So
each step of a seed finds something to do, and none of its time goes into getting there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

from core.db import Database
from core.embedded_postgres import Server
from core.rules.permissions import Role
from tests import sandbox_desk
from tests.actions import stripe_events
from tests.builders import Town
from tests.invariants.life import KINDS, NAMES
from tests.sandbox_desk import Market, a_market, with_a_desk
from tests.seeded_faults.more_steps import FaultyLife

WORLDS = 4
AGE = 60  # steps
WAITING = 25  # steps after the last work: what they have queued is still to be sent
FAULTS = ("bad day", "bank says no", "refund trouble", "changes the rules")
NOT_BROKEN = [each for each in NAMES if each not in FAULTS]
UNSENT = [each for each in NOT_BROKEN if each not in ("works", "time passes", "charges back", "bank decides")]
SECRET = "whsec_seeds"


@dataclass(frozen=True)
class World:
    """`name` is that of the database, and of what the sandbox keeps. `heard` is the last of Stripe's news."""

    name: str
    now: datetime
    staff: dict[str, int]
    roles: dict[str, frozenset[Role]]
    parties: tuple[int, int]
    heard: int

    def market(self, database: Database, sandbox: Any, home: Path) -> Market:
        """This world again, in a copy of its database."""
        sandbox.control.bring_back(self.name)
        database.info = {"jobs": False}
        town = Town(database, self.now, dict(self.staff), dict(self.roles), *self.parties)
        return with_a_desk(town, sandbox, home, stripe_webhook_secret=SECRET)


def a_world(number: int, server: Server, template: str, sandbox: Any, home: Path) -> World:
    """Lived with no faults from a town that `template` has."""
    name = f"world_{number}"
    urls = server.create_database(name, template=template)
    database, owner = Database(urls.app_url), Database(urls.owner_url)
    draw = random.Random(f"world {number}")
    sandbox_desk.bid_numbers, stripe_events.events = count(1), count(1)
    try:
        market = a_market(database, cast(Any, sandbox), home)
        life = FaultyLife(market, owner)
        life.begin(draw.randrange(2**32), draw.sample(KINDS, 3))
        for things in (*[NOT_BROKEN] * AGE, *[UNSENT] * WAITING):
            life.step(draw.choice(things), draw.randrange(2**32))
    finally:
        database.dispose()
        owner.dispose()
    sandbox.control.keep(name)
    heard = sandbox.control.news(0)[1]
    both = market.payer_id, market.payee_id
    return World(name, market.now, market.staff, market.roles, both, heard)
