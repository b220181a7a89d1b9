"""Which addresses the desk sends events to, and which it names to others: https, on the public internet.

A name is checked twice: as it is written when it is given, and by the addresses that it stands for each time something
is sent there, because names change (`core.api.webhooks.connections`). An operator may allow further networks
(`ESCROW_DESK_EVENT_NETWORKS`); a demo allows its own computer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from core.errors import DeskError

Network = IPv4Network | IPv6Network
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
INNER = (".local", ".localhost", ".internal", ".home.arpa")
_NAT64 = ip_network("64:ff9b::/96")
_HTTPS = re.compile(r"https://[A-Za-z0-9]([A-Za-z0-9.-]{0,250})(:[0-9]{1,5})?([/?][!-~]*)?")


class EndpointUnfit(DeskError):
    """Events are sent to an https address without a user name, password, fragment or port 0; http is accepted only for
    an IP address, or localhost, in a network that the desk allows. {url} is something else."""


class EndpointNotPublic(EndpointUnfit):
    """Events are sent to the public internet, and {url} is not there: it is in a private, loopback, link-local or
    reserved network, or its name is known inside one network only (it has no dot, or ends in .local, .localhost,
    .internal or .home.arpa). An operator of the desk can allow a network."""


def reachable(address: IPv4Address | IPv6Address, allowed: Sequence[Network]) -> bool:
    """Whether events may go to this IP address: it is public, or in one of the allowed networks. What is written in
    another one, as 10.0.0.7 is in ::ffff:10.0.0.7, counts as what is written."""
    address = _written(address)
    if any(address in network for network in allowed):
        return True
    return address.is_global and not address.is_multicast


def _written(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def require_event_address(url: str, allowed: Sequence[Network]) -> str:
    """The host that events sent to `url` go to. Raises `EndpointUnfit`, `EndpointNotPublic`."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise EndpointUnfit(url=url) from None
    literal = _literal(host)
    fits = (
        reachable(literal, allowed) if literal else _public(host) or any(n not in LOOPBACK for n in allowed)
    )
    if host and not fits:
        raise EndpointNotPublic(url=url)
    plain = parts.scheme == "http" and literal is not None and any(literal in network for network in allowed)
    if not _bare(parts) or not (parts.scheme == "https" or plain):
        raise EndpointUnfit(url=url)
    return host


def _bare(parts: SplitResult) -> bool:
    return (
        bool(parts.hostname) and parts.port != 0 and not (parts.username or parts.password or parts.fragment)
    )


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The IP address that is written there; `localhost` is one."""
    try:
        return LOOPBACK[0][1] if host == "localhost" else ip_address(host)
    except ValueError:
        return None


def _public(host: str) -> bool:
    """Whether this looks like a name of the internet; what ends in a digit is an IP address written in another way."""
    return "." in host.strip(".") and not host.rstrip(".").endswith(INNER) and not host[-1:].isdigit()


def page(url: str) -> str:
    """An address of the marketplace's where a browser is sent back to. Raises `ValueError` with the rule."""
    if not _HTTPS.fullmatch(url) or _is_ip(urlsplit(url).hostname or ""):
        raise ValueError(
            "it must be an https address with the name of a host; http is refused, also for localhost"
        )
    return url


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


PAGE = f"^{_HTTPS.pattern}$"
