"""Connections to the marketplaces' endpoints, and to nothing inside: a name is looked up, every address that it stands
for is checked, and the connection is made to an address that was checked. So a name that answers differently the second
time leads nowhere.

Behind a proxy for outgoing requests (`HTTPS_PROXY`) the name is looked up by the proxy, which must refuse inner
networks itself.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from core.errors import DeskError
from core.rules.web_addresses import Network, reachable


class NotPublic(DeskError):
    """Nothing was sent: the endpoint's host name stands for an address that is not on the public internet."""


def session(allowed: Sequence[Network]) -> requests.Session:
    """For one round of deliveries. `allowed`: networks besides the public internet."""
    line, adapter = requests.Session(), CheckedAdapter(allowed)
    line.mount("https://", adapter)
    line.mount("http://", adapter)
    return line


class CheckedAdapter(HTTPAdapter):
    """Sends over connections that were checked."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self.allowed = tuple(allowed)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self.allowed)


def _pools(allowed: Sequence[Network]) -> dict[str, type[HTTPConnectionPool]]:
    def checked(connection: HTTPConnection) -> socket.socket:
        """The first of the addresses that answers; raises `NotPublic` where one of them may not be asked."""
        name, refused = connection._dns_host, NewConnectionError(connection, "No address was found.")
        try:
            for address in _looked_up(name, connection.port, allowed):
                connection._dns_host = address
                try:
                    return HTTPConnection._new_conn(connection)
                except NewConnectionError as away:
                    refused = away
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
