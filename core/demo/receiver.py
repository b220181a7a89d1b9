"""During the last simulated days webhooks come in as they do in life: signed, over HTTP, to our own route."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import uvicorn
from starlette.applications import Starlette

from core.demo.world import World
from core.webhooks import routes


@contextmanager
def receiving(world: World, *, from_: datetime) -> Iterator[Callable[[], None]]:
    """Yields a function that begins to receive once the world's clock has come to `from_`."""
    open_socket = socket.socket()
    open_socket.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{open_socket.getsockname()[1]}/webhooks/stripe"
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def listen() -> None:
        if world.webhooks or world.now < from_:
            return
        world.sandbox.webhooks(auto=False)
        secret = world.sandbox.add_endpoint(url)
        settings = world.desk.settings.model_copy(update={"stripe_webhook_secret": secret})
        world.desk = replace(world.desk, settings=settings)
        servers.append(_serve(world, open_socket))
        world.webhooks = True

    try:
        yield listen
    finally:
        world.webhooks = False
        for server, thread in servers:
            server.should_exit = True
            thread.join()
        world.sandbox.remove_endpoints()
        world.sandbox.webhooks(auto=True, off=False)
        open_socket.close()


def _serve(world: World, open_socket: socket.socket) -> tuple[uvicorn.Server, threading.Thread]:
    config = uvicorn.Config(
        Starlette(routes=routes(world.desk)), log_level="error", access_log=False, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [open_socket]}, daemon=True)
    thread.start()
    return server, thread
