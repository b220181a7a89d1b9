"""`escrow-desk receipt` and `escrow-desk verify`: the paper of one payment, and whether a file is one that we made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, opened, require_new, say, tell, write_new


def receipt(
    number: Annotated[str, typer.Argument(help="Its number, HR-2026-000017, or its id.", metavar="NUMBER")],
    out: Annotated[Path, typer.Option(help="The PDF to write; one that is there is never overwritten.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """A receipt, invoice or credit note as PDF."""
    from core.actions.milestones import documents

    require_new(out)
    with opened() as desk:
        actor = operator.actor(desk, as_)
        name, content = desk.database.run(
            lambda session: documents.download(
                session,
                actor,
                settings=desk.settings,
                now=desk.clock(),
                receipt_id=documents.by_number(session, number),
            )
        )
    write_new(out, content)
    data = {"file": str(out), "number": name.removesuffix(".pdf"), "bytes": len(content)}
    say(data, as_json=as_json, words=tell(f"{data['number']} in {out}."))


def verify(
    file: Annotated[
        Path, typer.Argument(help="A PDF, CSV or XLSX that somebody brings.", dir_okay=False, exists=True)
    ],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Is this file, byte for byte, one that the desk handed out? Exit code 1 if it is not."""
    from core.queries import downloaded_files

    content = file.read_bytes()
    with opened() as desk:
        actor = operator.actor(desk, as_)
        with desk.database.reading() as session:
            found = downloaded_files.verify(session, actor, content)
    data = {
        "genuine": found.genuine,
        "sha256": found.sha256,
        "handed_out": [{"name": each.name, "at": each.at, "entry": each.entry_id} for each in found.taken],
        "names": found.names,
    }
    say(data, as_json=as_json, words=tell(found.words))
    raise typer.Exit(0 if found.genuine else 1)
