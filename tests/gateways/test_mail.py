from __future__ import annotations

import socket
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from core.config import Settings
from core.gateways.mail import (
    MailDeferred,
    MailFolder,
    MailMisconfigured,
    MailRefused,
    MailUnavailable,
    Smtp,
    compose,
    mail_from,
)
from tests.smtp_server import post_office

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def a_letter(**changes: Any) -> EmailMessage:
    parts: dict[str, Any] = {
        "number": "notification-17.demo",
        "sender": "Payments <payments@desk.example>",
        "name": "Ana Lindqvist",
        "address": "ana@example.com",
        "subject": "We hold $1,000.00 for “Cabinets”",
        "text": "Your payment arrived.\n.\nA line with a dot alone.\n",
        "html": "<!doctype html><p>Your payment arrived.</p>",
        "at": AT,
    }
    return compose(**parts | changes)


def test_a_letter_composed_twice_is_the_same_to_the_byte() -> None:
    assert a_letter().as_bytes() == a_letter().as_bytes()
    assert a_letter()["Message-ID"] == "<notification-17.demo@desk.example>"


def test_the_head_of_an_email_keeps_no_mark_that_turns_the_direction_of_writing() -> None:
    """The body dropped U+202E of a party's name, and the To: line showed it."""
    head = a_letter(name="Ana \u202etsivqdniL\u2066 \r\nBcc: x@y.example")
    assert head["To"].addresses[0].display_name == "Ana tsivqdniL Bcc: x@y.example"
    assert head["Bcc"] is None


def test_a_letter_carries_its_text_and_the_same_as_html() -> None:
    read = message_from_bytes(a_letter().as_bytes(), policy=default)
    assert read["To"].addresses[0].addr_spec == "ana@example.com"
    assert read["Subject"] == "We hold $1,000.00 for “Cabinets”"
    text, html = (read.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "Your payment arrived." in text.get_content()
    assert html.get_content().startswith("<!doctype html>")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@example.com\r\nBcc: x@example.com",
        "a b@example.com",
        "ana@example.com, eve@example.com",
    ],
)
def test_an_address_that_cannot_be_written_refuses_the_letter_for_ever(address: str) -> None:
    with pytest.raises(MailRefused):
        a_letter(address=address)


@pytest.mark.parametrize("name", ["", 'O\'Brien, "Bo" <x@y>', "Bo\r\nBcc: x@example.com", "Žofie 🙂"])
def test_a_name_is_only_ever_a_name(name: str) -> None:
    read = message_from_bytes(a_letter(name=name).as_bytes(), policy=default)
    assert read["Bcc"] is None
    assert [each.addr_spec for each in read["To"].addresses] == ["ana@example.com"]


def test_without_a_server_letters_become_files_and_a_second_copy_replaces_the_first(tmp_path: Path) -> None:
    mail = mail_from(Settings(home=tmp_path, smtp_url=""))
    assert mail == MailFolder(tmp_path / "mail")
    for _ in range(2):
        with mail.opened() as postbox:
            postbox.send(a_letter())
    assert [each.name for each in (tmp_path / "mail").iterdir()] == ["notification-17.demo.eml"]


def test_one_connection_takes_a_whole_batch_with_dots_and_all() -> None:
    with post_office() as office:
        with Smtp.parse(f"smtp://desk:p%40ss@127.0.0.1:{office.port}").opened() as postbox:
            postbox.send(a_letter())
            postbox.send(a_letter(number="notification-18.demo"))
        assert office.connections == 1
        assert len(office.logins) == 1
        assert b"A line with a dot alone." in office.letters[0]
        assert [b"notification-17" in letter for letter in office.letters] == [True, False]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 nobody here", MailRefused),
        ("450 come back later", MailDeferred),
        ("421 closing", MailUnavailable),
        (None, MailUnavailable),
    ],
)
@pytest.mark.parametrize("stage", ["recipient", "data"])
def test_what_the_server_says_decides_what_becomes_of_the_letter(
    stage: str, answer: str | None, error: type[Exception]
) -> None:
    with post_office() as office:
        setattr(office, stage, lambda _: answer)
        with Smtp.parse(f"smtp://127.0.0.1:{office.port}").opened() as postbox, pytest.raises(error):
            postbox.send(a_letter())
        assert office.letters == []


def test_a_server_that_is_away_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(MailUnavailable), Smtp.parse(f"smtp://127.0.0.1:{port}").opened():
        pass


def test_a_server_without_encryption_never_hears_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with post_office() as office:
        monkeypatch.setattr("core.gateways.mail.LOOPBACK", set())  # as if it were another machine
        with (
            pytest.raises(MailMisconfigured),
            Smtp.parse(f"smtp://desk:secret@127.0.0.1:{office.port}").opened(),
        ):
            pass
        assert office.logins == []


def test_ports_follow_the_scheme_and_the_password_is_decoded() -> None:
    assert Smtp.parse("smtp://mail.example").port == 587
    assert Smtp.parse("smtps://mail.example").port == 465
    assert Smtp.parse("smtp://a%40b:c%3A@mail.example:2525") == Smtp("mail.example", 2525, "a@b", "c:")


@pytest.mark.parametrize(
    "url", ["mail.example:25", "http://mail.example", "smtp://", "smtp://mail.example:port"]
)
def test_a_url_that_is_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(MailMisconfigured, match="SMTP_URL"):
        Smtp.parse(url)


# Addresses in any script


def test_a_domain_in_any_script_goes_to_every_server_in_its_ascii_form() -> None:
    with post_office() as office:
        with Smtp.parse(f"smtp://127.0.0.1:{office.port}").opened() as postbox:
            postbox.send(a_letter(address="ana@straße.example"))
        (letter,) = office.letters
        assert b"To: Ana Lindqvist <ana@xn--strae-oqa.example>" in letter


def test_a_name_in_any_script_goes_to_a_server_that_offers_it() -> None:
    with post_office() as office:
        office.offers = "SMTPUTF8"
        with Smtp.parse(f"smtp://127.0.0.1:{office.port}").opened() as postbox:
            postbox.send(a_letter(address="tomás@münchen.example"))
        (sender,) = [each for each in office.commands if each.startswith(b"mail")]
        (recipient,) = [each for each in office.commands if each.startswith(b"rcpt")]
        assert b"SMTPUTF8" in sender
        assert "tomás@xn--mnchen-3ya.example" in recipient.decode()
        assert "To: Ana Lindqvist <tomás@xn--mnchen-3ya.example>" in office.letters[0].decode()


def test_a_server_that_does_not_offer_it_fails_that_letter_and_names_address_and_remedy() -> None:
    with post_office() as office:
        with Smtp.parse(f"smtp://127.0.0.1:{office.port}").opened() as postbox:
            with pytest.raises(MailRefused, match=r"tomás@example\.com.*SMTPUTF8"):
                postbox.send(a_letter(address="tomás@example.com"))
            postbox.send(a_letter())
        assert len(office.letters) == 1


def test_a_letter_to_any_script_becomes_a_file_that_can_be_read(tmp_path: Path) -> None:
    with MailFolder(tmp_path).opened() as postbox:
        postbox.send(a_letter(address="tomás@example.com"))
    (file,) = tmp_path.iterdir()
    assert "To: Ana Lindqvist <tomás@example.com>" in file.read_bytes().decode()


def test_a_sender_that_cannot_work_is_our_fault_and_fails_no_letter() -> None:
    with pytest.raises(MailMisconfigured, match="MAIL_FROM"):
        a_letter(sender="Payments")
