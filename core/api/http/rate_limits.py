"""How much a key or an address may ask: a bucket that fills steadily and is emptied a token a request, one for all
processes.

The bucket is a row that one statement fills, empties and reads, by the database's clock, so that ten servers give a key
no more than one would. Its table is unlogged: taking a token writes nothing that a commit would have to wait for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import DeskError

_NOW = "coalesce(cast(:now as timestamptz), clock_timestamp())"
_FILLED = "least(:burst, b.tokens + greatest(0, extract(epoch from {now} - b.at)) * :rate)"
_ENOUGH = f"{_FILLED.format(now='excluded.at')} >= 1 - 1e-9"


def taking(holder: str, source: str = "") -> str:
    """The statement that takes a token of `holder`, an expression of SQL, where `source` finds anybody at all."""
    # Who is refused leaves the bucket as it was, so that asking again and again wears nothing off.
    return f"""
    insert into rate_buckets as b (holder, tokens, at, granted) select {holder}, :burst - 1, {_NOW}, true {source}
    on conflict (holder) do update set
        granted = {_ENOUGH},
        tokens = case when {_ENOUGH} then {_FILLED.format(now="excluded.at")} - 1 else b.tokens end,
        at = case when {_ENOUGH} then greatest(b.at, excluded.at) else b.at end
    returning granted, {_FILLED.format(now=_NOW)} as filled
    """


TAKE = text(taking(":holder"))
FORGET = text("delete from rate_buckets where at < clock_timestamp() - interval '1 day'")


class TooManyRequests(DeskError):
    """More requests than this key, or refusals than this address, may have. Wait {seconds} s, then go on."""


@dataclass(frozen=True)
class Limits:
    """`rate` requests a second for each holder, and `burst` at once after a pause. `clock`: other than the
    database's."""

    rate: float = 20.0
    burst: float = 100.0
    clock: Callable[[], datetime] | None = None

    def take(self, session: Session, holder: str) -> int:
        """Take one of this holder's tokens; 0, or the whole seconds until there is one again."""
        granted, filled = session.execute(TAKE, {"holder": holder, **self.asked()}).one()
        return self.wait(granted, filled)

    def asked(self) -> dict[str, Any]:
        """What `taking` needs to be told."""
        return {"rate": self.rate, "burst": self.burst, "now": self.clock() if self.clock else None}

    def wait(self, granted: bool, filled: float) -> int:
        """What `taking` answered: 0, or the whole seconds until there is a token again."""
        return 0 if granted else max(1, math.ceil((1 - filled) / self.rate - 1e-6))

    def forget_old(self, session: Session) -> None:
        """Whoever has asked for nothing in a day has a whole share again, with or without a row."""
        session.execute(FORGET)
