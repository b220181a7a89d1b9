"""Events go to the address that was checked, whatever its name says the next time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
import requests

from core.api.webhooks import connections, delivery
from core.api.webhooks.connections import NotPublic, TooSlow
from core.records import EventDelivery, OutgoingEvent
from core.rules.web_addresses import LOOPBACK
from tests import patience
from tests.api.api_client import ApiClient
from tests.api.test_events import Listener, listener, listening
from tests.api.test_flows import accepted

__all__ = ["listener"]  # the fixture


class Names:
    """A name server whose answers the test gives: the first, then the next, then the last for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if not host.endswith(".example"):
            return list(LOOK_UP(host, port, type=socket.SOCK_STREAM))
        self.asked += 1
        addresses = (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]).split()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


LOOK_UP = socket.getaddrinfo


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Names]:
    def answer(*answers: str) -> Names:
        found = Names(*answers)
        monkeypatch.setattr(socket, "getaddrinfo", found)
        return found

    return answer


def test_a_name_that_stands_for_an_inner_address_is_told_nothing(names: Any, listener: Listener) -> None:
    port = listener.server.server_port
    for address in ("127.0.0.1", "10.0.0.7", "169.254.169.254", "93.184.216.34 127.0.0.1"):
        names(address)
        with connections.session(()) as line, pytest.raises(NotPublic):
            line.post(f"http://market.example:{port}/events", data=b"x", timeout=2)
    assert listener.heard == []


def test_a_name_that_changes_after_the_check_leads_to_what_was_checked(
    names: Any, listener: Listener
) -> None:
    """The second answer, an inner address, would be asked for if anything looked the name up again."""
    found = names("127.0.0.1", "10.0.0.7")
    with connections.session(LOOPBACK) as line:
        answer = line.post(
            f"http://market.example:{listener.server.server_port}/events", data=b"x", timeout=2
        )
    assert (answer.status_code, found.asked) == (200, 1)
    ((headers, _),) = listener.heard
    assert headers["Host"].startswith("market.example:")


def test_the_next_address_is_tried_where_one_does_not_answer(names: Any, listener: Listener) -> None:
    names("127.0.0.99 127.0.0.1")
    with connections.session(LOOPBACK) as line:
        url = f"http://market.example:{listener.server.server_port}/events"
        assert line.post(url, data=b"x", timeout=2).status_code == 200


def test_a_name_that_nobody_knows_is_no_answer() -> None:
    with connections.session(()) as line, pytest.raises(requests.ConnectionError):
        line.post("https://nobody.invalid/events", data=b"x", timeout=2)


def test_a_certificate_is_that_of_the_name(names: Any) -> None:
    """What is asked for by its address is still asked for in its name: the handshake says which."""
    names("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as plain, connections.session(LOOPBACK) as line:
        plain.settimeout(5)
        url = f"https://market.example:{plain.getsockname()[1]}/events"
        heard: list[bytes] = []

        def listen() -> None:
            taken, _ = plain.accept()
            with taken:
                heard.append(taken.recv(4096))

        thread = threading.Thread(target=listen)
        thread.start()
        with pytest.raises(requests.ConnectionError):
            line.post(url, data=b"x", timeout=2)
        thread.join()
    assert b"market.example" in heard[0]


def test_an_event_that_may_not_go_there_waits_and_says_why(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    accepted(home)
    home.market.desk.settings.event_networks = ""
    assert delivery.deliver_due(home.market.desk) == 0
    assert listener.heard == []
    (tried,) = home.market.all(EventDelivery)
    assert (tried.status, tried.error) == (None, NotPublic().message)
    assert {each.status for each in home.market.all(OutgoingEvent)} == {"QUEUED"}


@contextmanager
def dripping(*, after: int = 0) -> Iterator[str]:
    """An endpoint whose head never ends: a byte now and then, so that no read of it ever takes long. It answers as many
    requests as they should be `after` which it begins to, over the same connection."""
    over = threading.Event()

    def drip(taken: socket.socket) -> None:
        with taken, suppress(OSError):
            for _ in range(after):
                asked = b""
                while not asked.endswith(b"\r\n\r\nx"):
                    asked += taken.recv(65_536)
                taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            taken.recv(65_536)
            taken.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not over.wait(0.05):
                taken.sendall(b"x")

    def serve(open_socket: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(open_socket.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as open_socket:
        threading.Thread(target=serve, args=(open_socket,), daemon=True).start()
        yield f"http://127.0.0.1:{open_socket.getsockname()[1]}/events"
        over.set()


def test_who_drips_an_answer_is_cut_and_delays_only_itself(
    home: ApiClient, law: ApiClient, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than are told side by side, of another marketplace, and in front of the one that answers."""
    monkeypatch.setattr(delivery, "WITHIN", 4.0)
    market = home.market
    with ExitStack() as drips:
        for _ in range(delivery.AT_ONCE + 1):
            slow, _secret = listening(market, drips.enter_context(dripping()), "legal_services")
            law.post(f"/webhook-endpoints/{slow.id}/test", {})
        good, _secret = listening(market, listener.url)
        home.post(f"/webhook-endpoints/{good.id}/test", {})
        away = set[int]()
        assert delivery.tell_all(market.desk, away=away) == 1
    assert [event["kind"] for event in listener.events()] == ["endpoint.tested"]
    assert len(away) == delivery.AT_ONCE + 1
    tried = [(each.status, each.error) for each in market.all(EventDelivery) if each.error]
    assert tried == [(None, TooSlow(seconds="4").message)] * (delivery.AT_ONCE + 1)


def test_a_connection_that_is_used_again_is_cut_too() -> None:
    with dripping(after=1) as url, connections.session(LOOPBACK) as line:
        with line.within(patience.SECONDS):
            assert line.post(url, data=b"x", timeout=patience.SECONDS).status_code == 200
        with pytest.raises(TooSlow), line.within(0.5):
            line.post(url, data=b"x", timeout=patience.SECONDS)


def test_an_endpoint_is_told_again_after_a_fault_of_the_one_before_it(
    home: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that had not begun when it came."""
    for number in range(3):
        endpoint, _secret = listening(home.market, f"http://127.0.0.1:9/{number}")
        home.post(f"/webhook-endpoints/{endpoint.id}/test", {})

    def fault(*_: Any, **__: Any) -> int:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(delivery, "AT_ONCE", 1)
        broken.setattr(delivery, "deliver_due", fault)
        with pytest.raises(ConnectionError):
            delivery.tell_all(home.market.desk, away=set())
    away = set[int]()
    assert delivery.tell_all(home.market.desk, away=away) == 0
    assert len(away) == 3
