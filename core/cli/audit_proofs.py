"""`escrow-desk audit prove`, `prove-growth`, `checkpoint`, `verify-proof`: small files that prove without the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli import operator, signing
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, opened, require_new, say, tell, write_new
from core.cli.signing import Key
from core.errors import DeskError

OUT = "The file to write."


class NoFile(DeskError):
    """There is no file {path}, or it cannot be read."""


def prove(
    entry: Annotated[
        int, typer.Argument(help="The number of the entry.", min=1, max=LARGEST_ID, metavar=NUMBER)
    ],
    out: Annotated[Path | None, typer.Option(help=f"{OUT} Default: entry-NUMBER.proof.json here.")] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Write a file that proves one entry without the log: the entry, its path in the tree, the signed checkpoint.

    That it was taken is itself recorded.
    """
    from core.audit import entry_proof

    path = out or Path(f"entry-{entry}.proof.json")
    require_new(path)
    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        folder = desk.settings.home / "checkpoints"
        proof = entry_proof.prove(
            desk.auditor, entry, desk=desk.database, actor=actor, now=now, folder=folder
        )
    write_new(path, proof.content)
    data = {
        "file": str(path),
        "entry": entry,
        "seal": proof.seal,
        "tree_size": proof.size,
        "key": proof.fingerprint,
        "sha256": proof.sha256,
    }
    words = (
        f"The proof of entry {entry} is in {path} (SHA-256 {proof.sha256}). It is among the first {proof.size:,} rows "
        f"of the log, by the signature of key {proof.fingerprint}. Verify it with `escrow-desk audit verify-proof`."
    )
    say(data, as_json=as_json, words=tell(words))


def prove_growth(
    checkpoint: Annotated[
        Path, typer.Argument(help="The checkpoint that was kept, as `audit checkpoint` tells it.")
    ],
    out: Annotated[Path, typer.Option(help=OUT)],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Write a file that proves that the log only grew since a checkpoint that somebody kept. It is itself recorded."""
    from core.audit import growth_proof

    note = _read(checkpoint).decode(errors="replace")
    require_new(out)
    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        folder = desk.settings.home / "checkpoints"
        proof = growth_proof.prove(
            desk.auditor, note, name=str(checkpoint), desk=desk.database, actor=actor, now=now, folder=folder
        )
    write_new(out, proof.content)
    data = {
        "file": str(out),
        "first_size": proof.first_size,
        "tree_size": proof.size,
        "key": proof.fingerprint,
        "sha256": proof.sha256,
    }
    words = (
        f"The proof that the log only grew from {proof.first_size:,} rows to {proof.size:,} is in {out} (SHA-256 "
        f"{proof.sha256}), signed by key {proof.fingerprint}. Verify it with `escrow-desk audit verify-proof`."
    )
    say(data, as_json=as_json, words=tell(words))


def checkpoint(as_json: Json = False) -> None:
    """Tell the newest checkpoint, a signed note of how many rows there are and of their root: for a witness to keep."""
    from core.audit import growth_proof, pins
    from core.audit.pinned_keys import ledger_name
    from core.audit.tree_heads import verifier_key

    with opened() as desk:
        head = growth_proof.newest(desk.auditor, desk.settings.home / "checkpoints")
        with desk.auditor.reading() as session:
            keys = [verifier_key(ledger_name(session), pin.public) for pin in pins(session)]
    data = {"checkpoint": head.note, "size": head.edge.size, "root": head.edge.root.hex(), "keys": keys}
    say(data, as_json=as_json, words=lambda: print(head.note, end=""))


def verify_proof(
    file: Annotated[Path, typer.Argument(help="The file from `audit prove` or `audit prove-growth`.")],
    key: Key = None,
    since: Annotated[
        Path | None,
        typer.Option(help="The checkpoint that was kept: the growth must be proved from this one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify a proof; needs no database and no configuration. Says what is off (exit code 1).

    A key that is not known here proves nothing (exit code 1)."""
    from core.audit import proof_file

    content = _read(file)
    wanted = signing.for_export(proof_file.ledger_of(content, name=str(file)), key)
    kept = _read(since).decode(errors="replace") if since else None
    proof = proof_file.verify(content, name=str(file), key=wanted, since=kept)
    words = [proof.text()]
    if proof.ok and proof.entry is not None:
        words += [f"{name}: {value}" for name, value in proof.entry.items() if value is not None]
    say(proof.facts(), as_json=as_json, words=tell("\n".join(words)))
    raise typer.Exit(0 if proof.known else 1)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NoFile(path=path) from None
