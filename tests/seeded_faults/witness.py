"""What only somebody who stands by can see, written down at once, so that a process that is killed loses nothing of it.

Who was answered, and by which transaction; whom a call to Stripe kept waiting inside a transaction.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from weakref import WeakSet

import psycopg
import requests
from psycopg.pq import TransactionStatus
from sqlalchemy import event
from sqlalchemy.pool import Pool

IN_TRANSACTION = (TransactionStatus.INTRANS, TransactionStatus.ACTIVE)
_connections: WeakSet[psycopg.Connection] = WeakSet()


class Witness:
    """Writes to a file of the seed's; every process of it may."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, what: str, about: str) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, f"{what}\t{about}\n".encode())
        os.close(handle)

    def noted(self, what: str) -> list[str]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [line.partition("\t")[2] for line in lines if line.partition("\t")[0] == what]


here: list[Witness] = []
"""Of the seed that is being lived."""


def stand_by() -> None:
    """Look at every connection to a database and every call to Stripe from now on."""
    event.listen(Pool, "connect", lambda connection, _: _connections.add(connection))
    send = requests.Session.send

    def seen(self: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        if here and "/v1/" in str(request.url):
            open_ones = [each for each in _connections if not each.closed and _works(each)]
            if open_ones:
                here[-1].note("in a transaction", f"{request.method} {request.path_url}")
        return send(self, request, **how)

    requests.Session.send = seen  # type: ignore[method-assign]


def _works(connection: psycopg.Connection) -> bool:
    return connection.info.transaction_status in IN_TRANSACTION
