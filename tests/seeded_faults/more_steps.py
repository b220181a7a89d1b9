"""What a desk does besides what people do at it: Stripe's news come in, the record is sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit, webhooks
from core.errors import DeskError
from core.gateways import stripe_events
from core.rules.permissions import Actor
from tests.invariants.life import THINGS, Life, NothingThere
from tests.seeded_faults import victims
from tests.seeded_faults.news import News
from tests.seeded_faults.witness import Witness

Result = TypeVar("Result")
NONSENSE = "evt_nonsense_"


@dataclass
class FaultyLife(Life):
    """Whoever is refused has changed nothing: `tests.invariants` asks that, after every step; here it is not asked row
    by row, but by the transaction (`laws`)."""

    goes_on_after = DeskError  # a step that does nothing proves little
    news: News | None = field(default=None)
    witness: Witness | None = field(default=None)

    def things(self) -> Mapping[str, tuple[Callable[[Any], None], int]]:
        return {**THINGS, **MORE}

    def act(self, action: Callable[..., Result], actor: Actor, **arguments: Any) -> Result:
        module = action.__module__.removeprefix("core.").replace(".", "/")
        victims.at_work[0] = f"{module}.{action.__name__}"
        tries = [victims.at_work[0]]

        def seen(session: Session, actor: Actor, **given: Any) -> Result:
            tries.append(session.scalar(text("select pg_current_xact_id()::text")) or "")
            return action(session, actor, **given)

        if self.witness is None:
            return self.market.act(action, actor, **arguments)
        try:
            result = self.market.act(seen, actor, **arguments)
        except DeskError:
            self.witness.note("refused", " ".join(tries))
            raise
        self.witness.note("answered", " ".join(tries))
        return result

    def hears(self) -> None:
        """Stripe's news that have arrived."""
        self.moves()
        if self.news is None or not self.news.deliver():
            raise NothingThere()

    def hears_nonsense(self) -> None:
        """An event with a true signature that says nothing."""
        self.moves()
        market, number = self.market, f"{NONSENSE}{self.draw.randrange(2**32)}"
        body = {"id": number, "type": "refund.updated", "object": "event", "created": 1772452800}
        heard = stripe_events.event({**body, "data": {"object": {"id": "../charges"}}}, now=market.now)
        market.database.run(lambda session: webhooks.store(session, heard, now=market.now))

    def seals(self) -> None:
        market = self.market
        home = market.desk.settings.home
        signer = audit.desk_signer(market.database, home, now=market.now)
        audit.seal(market.database, signer, home / "checkpoints", now=market.now)


MORE: Mapping[str, tuple[Callable[[FaultyLife], None], int]] = {
    "hears": (FaultyLife.hears, 8),
    "hears nonsense": (FaultyLife.hears_nonsense, 2),
    "seals": (FaultyLife.seals, 5),
}
