"""A desk that is served on a port of its own, over real connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from tests.dashboard.desk_fixtures import Office, application, office

__all__ = ["office"]


@dataclass(frozen=True)
class Served:
    """Where it listens: `http://` and `ws://` go before it."""

    place: str


@pytest.fixture
def served(office: Office) -> Iterator[Served]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        host, port = listener.getsockname()
        server = uvicorn.Server(uvicorn.Config(application(office), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(f"{host}:{port}")
        server.should_exit = True
        thread.join()
