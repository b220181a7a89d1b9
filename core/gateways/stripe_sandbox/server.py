"""The sandbox as a thread or a process of its own, on loopback only."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path
from types import TracebackType

import uvicorn

from core.gateways.stripe_sandbox.control_client import SandboxControl
from core.gateways.stripe_sandbox.engine import Engine
from core.gateways.stripe_sandbox.protocol import Droppable, application

HOST = "127.0.0.1"
PATIENCE = 10.0


class StripeSandbox:
    """`StripeSandbox(folder).start()`, then `.url` and `.key` go to the Stripe adapter; `.control` moves the clock."""

    def __init__(self, folder: Path | str, port: int = 0, seed: str = "desk") -> None:
        self.folder, self.seed = Path(folder), str(seed)
        self._asked = port
        # Named TCP, or asyncio leaves Nagle's algorithm on and every answer takes 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._engine: Engine | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def key(self) -> str:
        return "sk_test_" + re.sub(r"[^A-Za-z0-9]", "", f"sandbox{self.seed}")

    @property
    def written(self) -> int:
        """Greater whenever anything was asked or ordered."""
        return self._open().store.db.total_changes

    @property
    def control(self) -> SandboxControl:
        return SandboxControl(self.url, self.key)

    def start(self) -> StripeSandbox:
        """Serve in a daemon thread; returns when requests are answered. Raises `SandboxInUse`, `OSError`."""
        self._open()
        self._thread = threading.Thread(target=self.serve, name="stripe-sandbox", daemon=True)
        self._thread.start()
        self.control.wait(PATIENCE)
        return self

    def serve(self) -> None:
        """Serve in this thread until stopped."""
        engine = self._open()
        config = uvicorn.Config(
            application(engine),
            http=Droppable,
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_keep_alive=600,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        try:
            self._server.run(sockets=[self._socket])
        finally:
            engine.close()

    def _open(self) -> Engine:
        """The folder and the port, before anybody waits for an answer."""
        if self._engine is None:
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._socket.bind((HOST, self._asked))
                self._socket.listen(128)
                self._engine = Engine(self.folder, self.seed)
            except BaseException:
                self._socket.close()
                raise
        return self._engine

    def stop(self) -> None:
        if self._server:
            self._server.should_exit = True
        if self._thread:
            self._thread.join(PATIENCE)
        self._socket.close()

    def __enter__(self) -> StripeSandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
