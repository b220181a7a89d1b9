"""Connections to the marketplaces' endpoints, and to nothing inside: a name is looked up, every address that it stands
for is checked, and the connection is made to an address that was checked. So a name that answers differently the second
time leads nowhere.

Behind a proxy for outgoing requests (`HTTPS_PROXY`) the name is looked up by the proxy, which must refuse inner
networks itself.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from core.errors import DeskError
from core.rules.web_addresses import Network, reachable


class TooSlow(DeskError):
    """It did not answer within {seconds} seconds in all."""


class NotPublic(DeskError):
    """Nothing was sent: the endpoint's host name stands for an address that is not on the public internet."""


def session(allowed: Sequence[Network]) -> Line:
    """For one round of deliveries, by one thread. `allowed`: networks besides the public internet."""
    return Line(allowed)


class Line(requests.Session):
    """Connections of one thread, which can be cut."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        super().__init__()
        self.cut = Cut()
        adapter = CheckedAdapter(allowed, self.cut)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def close(self) -> None:
        super().close()
        self.cut.forget()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Whatever is sent and read inside takes no longer. A time limit of a socket is that of one read, and whoever
        drips an answer, or its head, byte by byte would be waited for without end. Raises `TooSlow`."""
        self.cut.begin(seconds)
        timer = threading.Timer(seconds, self.cut.all)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (requests.RequestException, HTTPError, OSError):
            if not self.cut.over:
                raise
        finally:
            timer.cancel()
        if self.cut.over:
            raise TooSlow(seconds=f"{seconds:g}")


class Cut:
    """The sockets of a line, each by a copy of its own, because TLS takes the first one over. They are known as long as
    the line: one that is kept open is used again."""

    def __init__(self) -> None:
        self._lock, self._open = threading.Lock(), list[socket.socket]()
        self.over, self._until = False, math.inf

    def begin(self, seconds: float) -> None:
        self.over, self._until = False, time.monotonic() + seconds

    @property
    def late(self) -> bool:
        return time.monotonic() > self._until

    def watch(self, opened: socket.socket) -> None:
        with self._lock:
            self._open.append(opened.dup())
        if self.over:  # the time was over while it was opened
            self.all()

    def all(self) -> None:
        self.over = True
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        with self._lock:
            while self._open:
                self._open.pop().close()


class CheckedAdapter(HTTPAdapter):
    """Sends over connections that were checked."""

    def __init__(self, allowed: Sequence[Network], cut: Cut) -> None:
        self.allowed, self.cut = tuple(allowed), cut
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self.allowed, self.cut)


def _pools(allowed: Sequence[Network], cut: Cut) -> dict[str, type[HTTPConnectionPool]]:
    def checked(connection: HTTPConnection) -> socket.socket:
        """The first of the addresses that answers; raises `NotPublic` where one of them may not be asked."""
        name, refused = connection._dns_host, NewConnectionError(connection, "No address was found.")
        try:
            for address in _looked_up(name, connection.port, allowed):
                connection._dns_host = address
                try:
                    opened = HTTPConnection._new_conn(connection)
                except NewConnectionError as away:
                    refused = away
                    if cut.late:
                        break
                else:
                    cut.watch(opened)
                    return opened
        except socket.gaierror as unknown:
            raise NameResolutionError(name, connection, unknown) from unknown
        finally:
            connection._dns_host = name
        raise refused

    class Plain(HTTPConnection):
        _new_conn = checked

    class Secure(HTTPSConnection):
        _new_conn = checked

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _looked_up(name: str, port: int, allowed: Sequence[Network]) -> list[str]:
    found = [str(each[4][0]) for each in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
    if not all(reachable(ip_address(each.partition("%")[0]), allowed) for each in found):
        raise NotPublic()
    return found
