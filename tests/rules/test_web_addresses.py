"""Which addresses events are sent to, and what is said of those that are refused."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from core.config import Settings, networks
from core.rules import web_addresses
from core.rules.web_addresses import (
    LOOPBACK,
    EndpointNotPublic,
    EndpointUnfit,
    reachable,
    require_event_address,
)

INNER = (ip_network("10.20.0.0/16"),)


@pytest.mark.parametrize(
    "address",
    [
        *["10.0.0.7", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"],
        *["::1", "fe80::1", "fc00::1", "::ffff:10.0.0.7", "64:ff9b::a00:7", "2002:a00:7::", "100.64.0.1"],
    ],
)
def test_nothing_goes_to_an_inner_network(address: str) -> None:
    assert not reachable(ip_address(address), ())


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.216.34"]
)
def test_what_is_public_is_reachable(address: str) -> None:
    assert reachable(ip_address(address), ())


def test_an_operator_allows_a_network_and_no_other() -> None:
    assert reachable(ip_address("10.20.3.4"), INNER)
    assert reachable(ip_address("::ffff:10.20.3.4"), INNER)
    assert not reachable(ip_address("10.21.0.1"), INNER)
    assert not reachable(ip_address("127.0.0.1"), INNER)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://market.example/events", ()),
        ("https://93.184.216.34:8443/x", ()),
        ("http://localhost:9123/events", LOOPBACK),
        ("http://127.0.0.1:9123/events", LOOPBACK),
        ("https://[::1]/x", LOOPBACK),
        ("http://10.20.0.5/x", INNER),
        ("https://desk.internal/x", INNER),
    ],
)
def test_these_are_told(url: str, allowed: tuple[web_addresses.Network, ...]) -> None:
    assert require_event_address(url, allowed)


@pytest.mark.parametrize(
    ("url", "allowed", "refused"),
    [
        ("http://market.example/x", LOOPBACK, EndpointUnfit),
        ("http://93.184.216.34/x", (), EndpointUnfit),
        ("https://user:pw@market.example/x", (), EndpointUnfit),
        ("https://market.example/x#y", (), EndpointUnfit),
        ("ftp://market.example/x", (), EndpointUnfit),
        ("https://", (), EndpointUnfit),
        ("https://market.example:99999/", (), EndpointUnfit),
        ("https://market.example:0/events", (), EndpointUnfit),
        ("https://[nonsense/", (), EndpointUnfit),
        ("https://localhost/x", (), EndpointNotPublic),
        ("https://10.0.0.7/x", INNER, EndpointNotPublic),
        ("https://desk/x", LOOPBACK, EndpointNotPublic),
        ("https://db.internal./x", (), EndpointNotPublic),
        ("https://2130706433/x", (), EndpointNotPublic),
    ],
)
def test_these_are_refused_with_the_rule(
    url: str, allowed: tuple[web_addresses.Network, ...], refused: type[EndpointUnfit]
) -> None:
    with pytest.raises(EndpointUnfit) as said:
        require_event_address(url, allowed)
    assert type(said.value) is refused
    assert ("public internet" if refused is EndpointNotPublic else "https address") in said.value.message


@pytest.mark.parametrize("url", ["https://market.example/back?x=1", "https://a.example:8443"])
def test_a_browser_is_sent_back_to_an_https_address(url: str) -> None:
    assert web_addresses.page(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://market.example/",
        "http://localhost:3000/",
        "https://",
        "https://ä.example",
        "https://10.0.0.1/back",
    ],
)
def test_another_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="must be an https address"):
        web_addresses.page(url)


def test_networks_are_written_with_commas_and_a_demo_adds_its_own_computer() -> None:
    assert networks("10.20.0.0/16, fd00::/8") == (ip_network("10.20.0.0/16"), ip_network("fd00::/8"))
    assert Settings(event_networks="").private_networks == ()
    assert Settings(event_networks="10.20.0.0/16", demo=True).private_networks == (*INNER, *LOOPBACK)
    with pytest.raises(ValueError, match="does not appear to be"):
        Settings(event_networks="the office")
