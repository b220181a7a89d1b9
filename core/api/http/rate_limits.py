"""How much a key may ask: a bucket that fills steadily and is emptied a token a request, one for all processes.

The bucket is a row that one statement fills, empties and reads, by the database's clock, so that ten servers give a key
no more than one would. Its table is unlogged: taking a token writes nothing that a commit would have to wait for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import DeskError

_NOW = "coalesce(cast(:now as timestamptz), clock_timestamp())"
_FILLED = "least(:burst, b.tokens + greatest(0, extract(epoch from {now} - b.at)) * :rate)"
_ENOUGH = f"{_FILLED.format(now='excluded.at')} >= 1 - 1e-9"
# Who is refused leaves the bucket as it was, so that asking again and again wears nothing off.
TAKE = text(
    f"""
    insert into api_buckets as b (api_key_id, tokens, at, granted) values (:key, :burst - 1, {_NOW}, true)
    on conflict (api_key_id) do update set
        granted = {_ENOUGH},
        tokens = case when {_ENOUGH} then {_FILLED.format(now="excluded.at")} - 1 else b.tokens end,
        at = case when {_ENOUGH} then greatest(b.at, excluded.at) else b.at end
    returning granted, {_FILLED.format(now=_NOW)}
    """
)


class TooManyRequests(DeskError):
    """More requests than this key may send. Wait {seconds} s, then go on."""


@dataclass(frozen=True)
class Limits:
    """`rate` requests a second for each key, and `burst` at once after a pause. `clock`: other than the database's."""

    rate: float = 20.0
    burst: float = 100.0
    clock: Callable[[], datetime] | None = None

    def take(self, session: Session, key_id: int) -> int:
        """Take one of this key's tokens; 0, or the whole seconds until there is one again."""
        now = self.clock() if self.clock else None
        asked = {"key": key_id, "rate": self.rate, "burst": self.burst, "now": now}
        granted, tokens = session.execute(TAKE, asked).one()
        return 0 if granted else max(1, math.ceil((1 - tokens) / self.rate - 1e-6))
