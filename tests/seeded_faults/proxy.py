"""A proxy before PostgreSQL, in a process of its own, that cuts one connection where it was told to.

    with Proxy(socket_path) as proxy:
        proxy.order(Cut.COMMIT_ANSWER, 1)     the next commit's answer never comes, though it is committed
        … connect to 127.0.0.1 at proxy.port …
        proxy.happened()                      whether it came to that

An order is good for one connection that meets it, and replaces the one before.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import struct
from enum import StrEnum
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

COMMIT, COMMITTED = b"COMMIT\x00", b"C\x00\x00\x00\x0bCOMMIT\x00"
AT_ONCE = 65_536
RESET = struct.pack("ii", 1, 0)  # linger for no time: the other side is reset, not told goodbye


class Cut(StrEnum):
    """Where the connection is cut: `at` counts bytes for the first two, commits for the others."""

    ASKED = "a byte on its way to the server"
    ANSWERED = "a byte of an answer"
    COMMIT = "a commit before it arrives"
    COMMIT_ANSWER = "the answer to a commit"
    NEVER = "nothing"


class Proxy:
    """Listens on a free port of loopback until the block ends."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self._ours, theirs = multiprocessing.Pipe()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_serve, args=(self._socket, upstream, theirs), daemon=True)

    def __enter__(self) -> Proxy:
        self._process.start()
        self._socket.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()

    def order(self, cut: Cut, at: int = 0) -> None:
        """Cut there from now on, once. Returns when the proxy knows."""
        self._ours.send((cut, at))
        self._ours.recv()

    def happened(self) -> bool:
        """Whether the last order was met; it is taken back."""
        self._ours.send((Cut.NEVER, 0))
        return bool(self._ours.recv())


class _Plan:
    def __init__(self) -> None:
        self.cut, self.left, self.met = Cut.NEVER, 0, False

    def replaced(self, cut: Cut, at: int) -> bool:
        met, self.cut, self.left, self.met = self.met, cut, at, False
        return met

    def allows(self, chunk: bytes, *, to_server: bool) -> bytes | None:
        """What of these bytes still goes through before the cut; None where all of it does."""
        match self.cut, to_server:
            case (Cut.ASKED, True) | (Cut.ANSWERED, False):
                return self._counted(len(chunk), chunk)
            case (Cut.COMMIT, True):
                return self._counted(chunk.count(COMMIT), b"")
            case (Cut.COMMIT_ANSWER, False):
                return self._counted(chunk.count(COMMITTED), b"")
        return None

    def _counted(self, seen: int, chunk: bytes) -> bytes | None:
        if self.left > seen or not seen:
            self.left -= seen
            return None
        through = chunk[: self.left]
        self.cut, self.met = Cut.NEVER, True
        return through


def _serve(listening: socket.socket, upstream: str, orders: Connection) -> None:
    asyncio.run(_until_killed(listening, upstream, orders))


async def _until_killed(listening: socket.socket, upstream: str, orders: Connection) -> None:
    plan = _Plan()

    def ordered() -> None:
        try:
            cut, at = orders.recv()
        except EOFError:  # whoever gave the orders is gone
            raise SystemExit from None
        orders.send(plan.replaced(cut, at))

    async def connected(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await asyncio.open_unix_connection(upstream)
        except OSError:  # the server is away
            _reset(to_client)
            return
        both = (to_client, to_server)
        await asyncio.gather(
            _carry(plan, client, to_server, both, to_server_side=True),
            _carry(plan, server, to_client, both, to_server_side=False),
        )

    asyncio.get_running_loop().add_reader(orders.fileno(), ordered)
    serving = await asyncio.start_server(connected, sock=listening)
    await serving.serve_forever()


async def _carry(
    plan: _Plan,
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    both: tuple[Any, ...],
    *,
    to_server_side: bool,
) -> None:
    try:
        while chunk := await source.read(AT_ONCE):
            through = plan.allows(chunk, to_server=to_server_side)
            sink.write(chunk if through is None else through)
            await sink.drain()
            if through is not None:
                break
    except (ConnectionError, OSError):
        pass
    for each in both:
        _reset(each)


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        ours = writer.get_extra_info("socket")
        if ours.family == socket.AF_INET:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.close()
