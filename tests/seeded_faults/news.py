"""Stripe's events on their way to the desk: told at once, late, twice, in any order, lost for a day, or never.

news = News(market, heard=…, draw=…)
news.gather()         whatever Stripe has written since is now on its way
news.deliver()        what has arrived by now is handed in, signed; what is not taken comes again
"""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

from core.gateways import stripe_webhooks
from core.gateways.stripe_sandbox.courier import signature
from core.webhooks import store
from tests.sandbox_desk import Market

HABITS = {"as they come": 5, "late": 2, "never": 3}
"""How a whole seed is told, and how often."""
AWAY = timedelta(days=1)


class News:
    """`habit` holds for a whole seed."""

    def __init__(self, market: Market, *, heard: int, draw: random.Random, secret: str) -> None:
        self.market, self.heard, self.draw, self.secret = market, heard, draw, secret
        self.habit = draw.choices(list(HABITS), list(HABITS.values()))[0]
        self.waiting: list[tuple[Any, dict[str, Any]]] = []

    def gather(self) -> None:
        events, self.heard = self.market.control.news(self.heard)
        for event in events:
            for delay in self._delays():
                self.waiting.append((self.market.now + delay, event))

    def _delays(self) -> list[timedelta]:
        if self.habit == "never":
            return []
        if self.habit == "late":
            return [timedelta(hours=self.draw.randrange(1, 40))]
        later = timedelta(minutes=self.draw.randrange(1, 600))
        at_once = timedelta(0)
        return self.draw.choice(([at_once], [at_once], [at_once], [at_once, later], [later], [AWAY]))

    def deliver(self) -> int:
        """Shuffled; each is out of the way when it was stored. How many there were."""
        now = self.market.now
        due = [each for each in self.waiting if each[0] <= now]
        self.draw.shuffle(due)
        for each in due:
            self._handed_in(each[1])
            self.waiting.remove(each)
        return len(due)

    def _handed_in(self, event: dict[str, Any]) -> None:
        body, now = json.dumps(event).encode(), self.market.now
        header = signature(body, self.secret, int(now.timestamp()))
        heard = stripe_webhooks.verify(body, header, self.secret, now=now)
        self.market.database.run(lambda session: store(session, heard, now=now))
