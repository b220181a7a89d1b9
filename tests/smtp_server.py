"""A mail server for tests, on loopback: it keeps what it accepts and can be told how to misbehave."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[[bytes], str | None]


@dataclass
class PostOffice:
    """`offers`: one more thing that it says it can do, such as SMTPUTF8. `recipient` and `data` may answer with a line
    of their own instead of 250; None closes the connection."""

    port: int = 0
    letters: list[bytes] = field(default_factory=list)
    connections: int = 0
    logins: list[str] = field(default_factory=list)
    offers: str = "HELP"
    commands: list[bytes] = field(default_factory=list)
    recipient: Answer = lambda address: "250 ok"
    data: Answer = lambda letter: "250 kept"


@contextmanager
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()

    class Counter(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            office.connections += 1
            _serve(office, self)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Counter) as server:
        server.daemon_threads = True
        office.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield office
        finally:
            server.shutdown()
            thread.join()


def _serve(office: PostOffice, line: socketserver.StreamRequestHandler) -> None:
    def say(words: str) -> None:
        line.wfile.write(words.encode() + b"\r\n")

    say("220 test")
    while command := line.rfile.readline():
        answer: str | None = "250 ok"
        office.commands.append(command)
        match command[:4].upper():
            case b"EHLO":
                answer = f"250-test\r\n250-8BITMIME\r\n250-{office.offers}\r\n250 AUTH PLAIN"
            case b"AUTH":
                office.logins.append(command.decode().strip())
                answer = "235 welcome"
            case b"RCPT":
                answer = office.recipient(command)
            case b"DATA":
                say("354 go on")
                letter = _letter(line)
                answer = office.data(letter)
                if answer and answer.startswith("250"):
                    office.letters.append(letter)
            case b"QUIT":
                say("221 bye")
                return
        if answer is None:
            return
        say(answer)


def _letter(line: socketserver.StreamRequestHandler) -> bytes:
    lines = []
    while (each := line.rfile.readline()) not in (b".\r\n", b""):
        lines.append(each)
    return b"".join(lines)
