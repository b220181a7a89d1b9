"""How much a key may ask of one process: a bucket that fills steadily and is emptied a token a request."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.errors import DeskError

MANY = 10_000


class TooManyRequests(DeskError):
    """More requests than this key may send. Wait {seconds} s, then go on."""


@dataclass
class Limits:
    """`rate` requests a second for each key, and `burst` at once after a pause."""

    rate: float = 20.0
    burst: float = 100.0
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[int, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key_id: int) -> None:
        """One token of this key's. Raises `TooManyRequests` with the whole seconds until there is one again."""
        with self._lock:
            now = self.clock()
            tokens, since = self._buckets.get(key_id, (self.burst, now))
            tokens = min(self.burst, tokens + (now - since) * self.rate)
            if tokens < 1:
                self._buckets[key_id] = (tokens, now)
                raise TooManyRequests(seconds=max(1, math.ceil((1 - tokens) / self.rate)))
            if len(self._buckets) > MANY:
                self._buckets.clear()
            self._buckets[key_id] = (tokens - 1, now)
