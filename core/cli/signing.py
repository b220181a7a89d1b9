"""The signing key on the command line: whom a verification believes, another key, and what this account remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, opened, say, settings, tell
from core.errors import DeskError

if TYPE_CHECKING:
    from core.audit import Trust, VerificationReport
    from core.desk import Desk

Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="The desk's key: its fingerprint, or a file with the public key. Nothing else is believed.",
    ),
]


class NothingPinned(DeskError):
    """This database pins no signing key yet: there is none to trust."""


class NotThePinned(DeskError):
    """This database pins the key {pinned}, and not {given}. Nothing was remembered."""


def trust(desk: Desk, key: str | None) -> Trust:
    """The key that is named, else the one this account remembers, else the one in the desk's own home, else none."""
    from core.audit import Trust, known_keys, private_half
    from core.audit.pinned_keys import ledger_name
    from core.case_file import signing

    if key:
        return Trust(signing.named_key(key), "named")
    with desk.auditor.reading() as session:
        before = known_keys.known(ledger_name(session))
    if before:
        return Trust(before.fingerprint, "known", before.since)
    own = private_half(desk.settings.home)
    return Trust(own, "own") if own else Trust()


def for_export(ledger: str, key: str | None) -> str | None:
    """The same for an export, where there is no database: named, remembered, or of the desk that lives here."""
    from core.audit import known_keys
    from core.case_file import signing
    from core.config import Settings

    if key:
        return signing.named_key(key)
    before = known_keys.known(ledger)
    return before.fingerprint if before else signing.key_of_this_desk(Settings().home_here)


def remembered(desk: Desk, report: VerificationReport) -> str:
    """Remember a key that was seen for the first time, or handed over; what to say about it."""
    from core.audit import known_keys
    from core.audit.pinned_keys import ledger_name

    if not report.ok or not report.signed or report.pinned is None or report.trust is None:
        return ""
    named = report.trust.how == "named"
    if report.trust.how == "known" and report.trust.fingerprint == report.pinned.fingerprint:
        return ""
    with desk.auditor.reading() as session:
        ledger = ledger_name(session)
    try:
        path = known_keys.remember(ledger, report.pinned.fingerprint, now=desk.clock())
    except DeskError as problem:
        return "" if named else problem.message
    return f"This account remembers the key in {path}, and will believe no other."


def rotate_key(
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    lost: Annotated[
        bool, typer.Option("--lost", help="The private key is gone for good, so it cannot sign for the next.")
    ] = False,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Pin another signing key, signed by the one before. Needs the owner's login (DATABASE_OWNER_URL).

    With --lost nobody vouches for the new key: whoever verifies is told so, and must be told its fingerprint by you.
    """
    from core import audit
    from core.db import Database

    found = settings()
    with opened() as desk:
        actor, home, now = operator.actor(desk, as_), desk.settings.home, desk.clock()
        if not lost:
            signer = audit.desk_signer(desk.database, home, now=now)
            audit.seal(desk.database, signer, home / "checkpoints", now=now)
        owner = Database(found.owner_url, pool_size=1)
        try:
            before, pin = audit.rotate(owner, actor, home, now=now, reason=reason, lost=lost)
        finally:
            owner.dispose()
    data = {
        "before": before.fingerprint,
        "key": pin.fingerprint,
        "after_seal": pin.after_seal,
        "handed_over": not lost,
    }
    signed = "It is not signed by the one before" if lost else "The one before has signed for it"
    words = (
        f"Key {pin.fingerprint} signs from the seal after {pin.after_seal} on, in place of {before.fingerprint}. "
        f"{signed}. Tell whoever verifies; back up {home / 'keys'}."
    )
    say(data, as_json=as_json, words=tell(words))


def trust_key(
    fingerprint: Annotated[str, typer.Argument(help="The fingerprint that the desk's people told you.")],
    as_json: Json = False,
) -> None:
    """Remember this key for this account, in place of the one it knew. It must be the one that is pinned."""
    from core import audit
    from core.audit import known_keys
    from core.audit.pinned_keys import ledger_name
    from core.case_file import signing

    given = signing.named_key(fingerprint)
    with opened() as desk, desk.auditor.reading() as session:
        pinned, ledger = audit.pins(session), ledger_name(session)
        if not pinned:
            raise NothingPinned()
        if pinned[-1].fingerprint != given:
            raise NotThePinned(pinned=pinned[-1].fingerprint, given=given)
        path = known_keys.remember(ledger, given, now=desk.clock())
    say({"key": given, "file": str(path)}, as_json=as_json, words=tell(f"{given} is remembered in {path}."))
