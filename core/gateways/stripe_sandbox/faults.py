"""Faults on order: the next N calls that match a method and a path fail in a given way, before or after the work."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from core.gateways.stripe_sandbox.store import Store

KINDS = ("500", "429", "409", "short", "declined", "timeout", "drop")


@dataclass(frozen=True)
class Fault:
    """`kind`: an HTTP status, `short` (the platform's balance is too small), `declined` (a card), `timeout` (silent for
    `seconds`, then the connection is dropped) or `drop` (at once). `when`: `before` or `after` the work was done.
    `skip`: let this many matching calls through first."""

    kind: str
    method: str = "*"
    path: str = "/v1/*"
    when: str = "before"
    times: int = 1
    skip: int = 0
    seconds: float = 30.0

    @property
    def worked(self) -> bool:
        return self.when == "after"

    @property
    def silent(self) -> bool:
        return self.kind in ("timeout", "drop")


def add(store: Store, fields: dict[str, Any]) -> None:
    """Refuses what is no fault with ValueError or TypeError."""
    fault = Fault(**fields)
    if fault.kind not in KINDS or fault.when not in ("before", "after"):
        raise ValueError(f"a fault is one of {', '.join(KINDS)}, before or after")
    store.db.execute("insert into faults (body) values (?)", (json.dumps(asdict(fault)),))


def ordered(store: Store) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in store.db.execute("select body from faults order by id")]


def clear(store: Store) -> None:
    store.db.execute("delete from faults")


def take(store: Store, method: str, path: str) -> Fault | None:
    """The fault that this call shall have, counted down; None for most calls."""
    for id_, body in store.db.execute("select id, body from faults order by id").fetchall():
        fields = json.loads(body)
        if not (fnmatchcase(method, fields["method"]) and fnmatchcase(path, fields["path"])):
            continue
        fault = Fault(**fields)
        if fault.skip:
            fields["skip"] -= 1
        else:
            fields["times"] -= 1
        if fields["times"] > 0:
            store.db.execute("update faults set body = ? where id = ?", (json.dumps(fields), id_))
        else:
            store.db.execute("delete from faults where id = ?", (id_,))
        return None if fault.skip else fault
    return None
