"""Breaks: where the ledger and a statement differ, until it is explained. Open ones are exit code 1."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, say
from core.rules import status_labels
from core.rules.breaks import BreakClass
from core.rules.permissions import Permission, require

app = typer.Typer(no_args_is_help=True, help="Where the ledger and a statement differ.")
OfClass = Annotated[
    BreakClass | None, typer.Option("--class", help="Of this class only.", case_sensitive=False)
]


@app.command("list")
def list_(of_class: OfClass = None, as_: As = None, as_json: Json = False) -> None:
    """Breaks that are open, the longest standing first; exit code 1 if there are any."""
    from core.queries import breaks

    with opened() as desk:
        require(operator.actor(desk, as_), Permission.READ_LEDGER)
        now = desk.clock()
        with desk.database.reading() as session:
            found = breaks.page(session, breaks.BreakFilter(class_=of_class), now=now, limit=None)

    def words() -> None:
        if not found:
            console.print("No break is open.")
            return
        table = Table(
            "Break", "Class", "Status", "Difference", "Since (UTC)", "Owner", "What it is", box=None
        )
        for each in found:
            since = f"{each.since:%Y-%m-%d %H:%M}"
            table.add_row(
                each.reference,
                status_labels.words("break class", each.class_),
                status_labels.words("break", each.state),
                each.difference.text(),
                since,
                each.owner or "–",
                each.what,
            )
        console.print(table)

    say([_told(each) for each in found], as_json=as_json, words=words)
    raise typer.Exit(1 if found else 0)


def _told(row: Any) -> dict[str, Any]:
    names = (
        "reference side kind class_ state since owner remark waits_until last_run_id transaction_id journal_id"
    ).split()
    return {name.rstrip("_"): getattr(row, name) for name in names} | {
        "currency": row.currency,
        "statement": row.theirs,
        "ledger": row.ours,
        "sentence": row.sentence,
    }
