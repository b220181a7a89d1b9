"""`escrow-desk backup`, `restore`, `restored`: a desk that can be made again, and what comes after."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, environment, opened, require_new, say, settings, tell
from core.clock import system_clock
from core.errors import DeskError
from core.rules.permissions import Actor

if TYPE_CHECKING:
    from core.backup.restoring import Restored

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        help="The file whose first line is the passphrase of the keys. Default: ESCROW_DESK_BACKUP_PASSPHRASE."
    ),
]
Keys = Annotated[Path | None, typer.Option(help="The file of the desk's keys, as --keys-to wrote it.")]


class WhatToBackUp(DeskError):
    """Say where to: `escrow-desk backup --to FOLDER`; or what to read: `escrow-desk backup --verify FOLDER/NAME`."""


def add_to(app: typer.Typer) -> None:
    for command in (backup, restore, restored):
        app.command()(command)


def backup(
    to: Annotated[
        Path | None, typer.Option(help="The folder of backups; this one is a folder in it.")
    ] = None,
    keys_to: Annotated[
        Path | None, typer.Option(help="Also the desk's keys, encrypted, into this new file elsewhere.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    keep: Annotated[int | None, typer.Option(help="Remove all but the newest so many.", min=1)] = None,
    verify: Annotated[
        Path | None, typer.Option(help="Read this backup, and say whether it is whole.")
    ] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Back up checkpoints, database and evidence; it is read back before it counts. --verify: 1 unless whole."""
    from core.backup import making

    if verify is not None and to is None:
        _verify(verify, as_json=as_json)
    if to is None:
        raise WhatToBackUp()
    if keys_to is not None:
        require_new(keys_to)
    with opened() as desk:
        made = making.back_up(
            desk,
            operator.actor(desk, as_),
            to,
            now=desk.clock(),
            keys_to=keys_to,
            passphrase=_passphrase(passphrase_file),
            keep=keep,
        )
    facts = made.manifest
    data = {
        "backup": str(made.folder),
        "taken_at": facts["taken_at"],
        "ledger": facts["ledger"],
        "revision": facts["revision"],
        "last_seal": facts["last_seal"],
        "evidence": made.evidence,
        "evidence_copied": made.copied,
        "keys": made.keys and str(made.keys),
        "signed_by": facts.key.fingerprint if facts.key else None,
        "removed": list(made.removed),
    }
    kept = f"The keys are in {made.keys}." if made.keys else "The keys are not in it: --keys-to FILE."
    words = (
        f"{made.folder}: database at seal {facts['last_seal']}, {made.evidence} files of evidence "
        f"({made.copied} copied), {_signed(data['signed_by'])}. It was read back and is whole. {kept}"
    )
    gone = f" Removed: {', '.join(made.removed)}." if made.removed else ""
    say(data, as_json=as_json, words=tell(words + gone))


def _signed(fingerprint: str | None) -> str:
    return f"signed by key {fingerprint}" if fingerprint else "not signed: its home had no signing key"


def _verify(folder: Path, *, as_json: bool) -> None:
    from core.backup import manifest

    made, wrong = manifest.Manifest.read(folder), list(manifest.wrong(folder))
    signed_by = made.key.fingerprint if made.key and made.signed else None
    data = {
        "ok": not wrong,
        "taken_at": made["taken_at"],
        "ledger": made["ledger"],
        "signed_by": signed_by,
        "wrong": wrong,
    }

    def words() -> None:
        for each in wrong:
            tell(f"{each}.")()
        if not wrong:
            tell(f"{folder} is whole, as it was at {made['taken_at']}; {_signed(signed_by)}.")()

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if wrong else 0)


def restore(
    folder: Annotated[Path, typer.Argument(help="The backup: FOLDER/NAME.")],
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Make the desk again from a backup, in an empty database and home. Requests to Stripe are paused afterwards.

    Exit code 1 where somebody must be erased again.
    """
    from core.backup import restoring

    done = restoring.restore(
        settings(),
        Actor("operator", None, via=operator.account()),
        folder,
        now=system_clock(),
        keys=keys,
        passphrase=_passphrase(passphrase_file) if keys else "",
    )
    _say(done, as_json=as_json)


def restored(
    as_of: Annotated[datetime, typer.Option(help="The moment (UTC) that the database was brought back to.")],
    checkpoints: Annotated[
        Path | None, typer.Option(help="A checkpoint file elsewhere. Default: the one in the home.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say that this database was brought back by other means, such as to a point in time: requests are paused.

    The home gets the checkpoints that the database knows; a file that knows more is kept beside it.
    """
    from core.backup import restoring

    done = restoring.mark_restored(
        settings(),
        Actor("operator", None, via=operator.account()),
        now=system_clock(),
        taken_at=as_of.replace(tzinfo=UTC),
        newer=checkpoints,
    )
    _say(done, as_json=as_json)


def _say(done: Restored, *, as_json: bool) -> None:
    steps = [
        *(["`escrow-desk migrate`: this version needs a newer schema"] if done.pending else []),
        *([] if done.keys else ["put the desk's keys into the home, unless they are there"]),
        "`escrow-desk doctor`",
        "`escrow-desk worker`: its first seal goes on after the last one",
        "`escrow-desk reconcile`: requests to Stripe go on by themselves once every line of Stripe's since then is "
        "known; else settle its breaks, or `escrow-desk operation resume --reason …`",
        "`escrow-desk check` and `escrow-desk audit verify --files`",
        "`escrow-desk serve`",
    ]
    if done.erased:
        them = ", ".join(map(str, done.erased))
        steps.insert(0, f"erase parties {them} again, by two people: they were erased since this backup")
    data = {**vars(done), "next": steps}

    def words() -> None:
        tell(
            f"Restored as of {done.taken_at:%Y-%m-%d %H:%M:%S} UTC: database at seal {done.last_seal}, {done.evidence} "
            "files of evidence. Requests to Stripe are paused. What to do, in this order:"
        )()
        for number, step in enumerate(steps, start=1):
            tell(f"{number}. {step}")()

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if done.erased else 0)


def _passphrase(file: Path | None) -> str:
    if file is None:
        return environment().backup_passphrase
    lines = file.read_text(encoding="utf-8").splitlines()
    return lines[0] if lines else ""
