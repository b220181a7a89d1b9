"""The API as a process that dies in the middle of what it is asked: `python -m tests.faults.dying_api PORT POINT:NTH …`

As a supervisor would, this process begins another when one has died: the first dies at the first point that is given,
the second at the second, and the last lives. A point counts from the moment when the request has claimed its key.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any

import uvicorn
from sqlalchemy import event
from sqlalchemy.engine import Engine

from core.config import Settings
from core.desk import Desk
from dashboard.server import api_only
from tests.seeded_faults.victims import Death, Point, comes_to

CLAIM = "insert into api_answers"


def main() -> None:
    port, *points = sys.argv[1:]
    listening = socket.create_server(("127.0.0.1", int(port)))
    for point in (*points, None):
        process = os.fork()
        if not process:
            _serve(listening, _death(point))
            os._exit(0)
        os.waitpid(process, 0)


def _death(written: str | None) -> Death | None:
    if written is None:
        return None
    name, nth = written.split(":")
    return Death(Point[name], int(nth))


def _serve(listening: socket.socket, death: Death | None) -> None:
    if death:
        _armed_by_a_claim(death)
    app = api_only(Desk.open(Settings()))
    uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none")).run(sockets=[listening])


def _armed_by_a_claim(death: Death) -> None:
    armed = False

    def statement(_: Any, __: Any, sql: str, *___: Any) -> None:
        nonlocal armed
        armed = armed or sql.lstrip().lower().startswith(CLAIM)

    event.listen(Engine, "before_cursor_execute", statement)
    comes_to(death, lambda _: os.kill(os.getpid(), signal.SIGKILL), counts=lambda: armed)


if __name__ == "__main__":
    main()
