"""Mail: letters leave here, by SMTP or, where none is configured, as .eml files under the desk's home.

An address may be written in any script. Its domain goes out in the form that every server knows (IDNA, `xn--…`); a name
before the @ that is not ASCII needs a server that offers SMTPUTF8, and where it does not, the letter fails and says so.

A letter that is composed twice is the same to the byte, with the same Message-ID, so a mail program that gets it twice
(a crash between the server's yes and our commit) shows it once.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import idna

from core.config import Settings
from core.errors import DeskError
from core.gateways.files import forget
from core.letters.template import line

PATIENCE = 15.0  # seconds for each answer of the server
CLOSING = 421
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
RECURRING = frozenset({"mime-version", "content-transfer-encoding", "auto-submitted", "content-type"})


class MailRefused(DeskError):
    """The e-mail cannot be delivered: {reason}"""


class MailDeferred(DeskError):
    """The mail server does not take this e-mail now: {reason}"""


class MailUnavailable(DeskError):
    """The mail server cannot be reached: {reason}"""


class MailMisconfigured(DeskError):
    """The mail settings cannot work: {reason}"""


class Postbox(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Hand one letter over.

        Raises `MailRefused` (this letter never), `MailDeferred` (this one later) or `MailUnavailable` (none now).
        """


class Mail(Protocol):
    def opened(self) -> AbstractContextManager[Postbox]:
        """A postbox for a batch of letters: one connection serves them all."""

    def forget(self, numbers: Iterable[str]) -> None:
        """Copies of these mails that lie here; what was sent is the reader's."""


def mail_from(settings: Settings) -> Mail:
    """SMTP where `smtp_url` is set, else files in `home/mail`."""
    return Smtp.parse(settings.smtp_url) if settings.smtp_url else MailFolder(settings.home / "mail")


class RememberedHeaders(HeaderRegistry):
    """The library's headers. It makes a class for each header that is set or counted, and parses what is the same in
    every letter each time; these do it once."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[str, Any] = {}
        self._recurring: dict[tuple[str, str], Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._kinds:
            self._kinds[name] = super().__getitem__(name)
        return self._kinds[name]

    def __call__(self, name: str, value: Any) -> Any:
        # A content type with a boundary is one letter's own.
        if name.lower() not in RECURRING or "boundary" in value:
            return super().__call__(name, value)
        if (name, value) not in self._recurring:
            self._recurring[name, value] = super().__call__(name, value)
        return self._recurring[name, value]


ASCII, UTF8 = (each.clone(header_factory=RememberedHeaders()) for each in (SMTP, SMTPUTF8))


def compose(
    *, number: str, sender: str, name: str, address: str, subject: str, text: str, html: str, at: datetime
) -> EmailMessage:
    """A letter as a message. `number` is its lasting name, such as `notification-17.demo`."""
    sender_name, sender_address = parseaddr(sender)
    try:
        of = _address(sender_name, sender_address)
    except MailRefused as error:
        raise MailMisconfigured(reason=f"MAIL_FROM: {error.facts['reason']}") from error
    to = _address(line(name), address)
    ascii_only = of.username.isascii() and to.username.isascii()
    message = EmailMessage(policy=ASCII if ascii_only else UTF8)
    try:
        message["From"], message["To"] = of, to
        message["Subject"] = " ".join(subject.split())
    except (MessageError, ValueError, IndexError) as error:
        raise MailRefused(reason=f"its head cannot be written ({error})") from error
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{number}@{of.domain or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    message.set_boundary("letter-" + sha256(f"{number}\n{text}\n{html}".encode()).hexdigest()[:32])
    return message


def _address(name: str, address: str) -> Address:
    wire = wire_form(address)
    if wire.isascii():
        return Address(name, addr_spec=wire)
    username, _, domain = wire.rpartition("@")
    return Address(name, username=username, domain=domain)


def wire_form(address: str) -> str:
    """The address with its domain as every mail server knows it. Raises `MailRefused` for what is no address."""
    name, _, domain = address.rpartition("@")
    try:
        if not domain.isascii() or "xn--" in domain.lower():
            domain = idna.encode(domain, uts46=True).decode("ascii")
        # The library knows the grammar, and no letters but ASCII in it: those stand for letters here.
        plain = "".join(mark if mark.isascii() or not mark.isalnum() else "x" for mark in name)
        parsed = Address(addr_spec=f"{plain}@{domain}")
        if not parsed.username or not parsed.domain:
            raise ValueError("it has no name or no domain")
        return f"{name}@{domain}"
    except (MessageError, ValueError, IndexError) as error:
        raise MailRefused(
            reason=f"“{address}” is not an address that e-mail can be sent to ({error})"
        ) from error


@dataclass(frozen=True)
class MailFolder:
    """Letters as files, one each, named by their Message-ID: for the demo, and for a desk without a mail server."""

    folder: Path

    @contextmanager
    def opened(self) -> Iterator[MailFolder]:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise MailUnavailable(reason=str(error)) from error
        yield self

    def forget(self, numbers: Iterable[str]) -> None:
        for number in numbers:
            forget(self.folder / f"{number}.eml")

    def send(self, message: EmailMessage) -> None:
        name = message["Message-ID"].strip("<>").rpartition("@")[0]
        unfinished = self.folder / f".{name}.part"
        try:
            unfinished.write_bytes(message.as_bytes())
            os.replace(unfinished, self.folder / f"{name}.eml")
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise MailUnavailable(reason=str(error)) from error


@dataclass(frozen=True)
class Smtp:
    """A mail server. With `smtps://` the whole connection is encrypted; with `smtp://` as soon as it offers STARTTLS.

    A password is never sent over an open connection, except to this machine.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Smtp:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise MailMisconfigured(reason=f"SMTP_URL: {error}") from error
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise MailMisconfigured(reason="SMTP_URL must look like smtp://user:password@host:587")
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=port or (465 if tls else 587),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=tls,
        )

    def forget(self, numbers: Iterable[str]) -> None:
        """None lies here."""

    @contextmanager
    def opened(self) -> Iterator[SmtpConnection]:
        connection = SmtpConnection(self._connect())
        try:
            yield connection
        finally:
            connection.close()

    def _connect(self) -> smtplib.SMTP:
        try:
            return self._log_in(self._call())
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailable(reason=_said(error)) from error

    def _call(self) -> smtplib.SMTP:
        secure = ssl.create_default_context()
        if self.tls:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE, context=secure)
        server = smtplib.SMTP(self.host, self.port, timeout=PATIENCE)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=secure)
            server.ehlo()
        elif self.user and self.host not in LOOPBACK:
            server.close()
            raise MailMisconfigured(
                reason=f"{self.host} offers no encryption, so the password is not sent to it"
            )
        return server

    def _log_in(self, server: smtplib.SMTP) -> smtplib.SMTP:
        if self.user:
            server.login(self.user, self.password)
        return server


class SmtpConnection:
    def __init__(self, server: smtplib.SMTP) -> None:
        self._server = server

    def send(self, message: EmailMessage) -> None:
        try:
            self._server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _verdict(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPDataError as error:
            raise _verdict(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefused(reason=_not_ascii(message)) from error
        except ValueError as error:  # one letter that cannot be written stops no other
            raise MailRefused(reason=f"it cannot be written ({error})") from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnavailable(reason=_said(error)) from error

    def close(self) -> None:
        with suppress(OSError, smtplib.SMTPException):
            self._server.quit()


def _not_ascii(message: EmailMessage) -> str:
    return (
        f"the mail server takes no address with letters such as é before the @, and {message['To']} goes from "
        f"{message['From']}. Ask for another address, or use a mail server that offers SMTPUTF8"
    )


def _verdict(code: int, said: bytes | str) -> MailRefused | MailDeferred | MailUnavailable:
    """5xx is for ever; 421 ends it all; the rest is for now, such as a recipient who is greeted late on purpose."""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    if code == CLOSING:
        return MailUnavailable(reason=f"{code} {words}")
    return (MailRefused if 500 <= code < 600 else MailDeferred)(reason=f"{code} {words}")


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
