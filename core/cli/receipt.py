"""`escrow-desk receipt`: the paper of one payment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, opened, require_new, say, tell, write_new


def receipt(
    number: Annotated[
        int, typer.Argument(help="Its id: 17 for R-2026-000017.", min=1, max=LARGEST_ID, metavar=NUMBER)
    ],
    out: Annotated[Path, typer.Option(help="The PDF to write; one that is there is never overwritten.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """A receipt, invoice or credit note as PDF."""
    from core.actions.milestones import receipts

    require_new(out)
    with opened() as desk:
        actor = operator.actor(desk, as_)
        name, content = desk.database.run(
            lambda session: receipts.download(
                session, actor, settings=desk.settings, now=desk.clock(), receipt_id=number
            )
        )
    write_new(out, content)
    data = {"file": str(out), "number": name.removesuffix(".pdf"), "bytes": len(content)}
    say(data, as_json=as_json, words=tell(f"{data['number']} in {out}."))
