"""`escrow-desk export`: the ledger as a file. The audit log is `escrow-desk audit export`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, require_new, say, tell, whole_file
from core.ledger_export import LedgerFilter, LedgerFormat, line_named
from core.money import digits

app = typer.Typer(no_args_is_help=True, help="The ledger as a file.")
DAY = ["%Y-%m-%d"]


@app.command()
def ledger(
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is never overwritten.")],
    format: Annotated[LedgerFormat, typer.Option(help="The form of the file.")] = LedgerFormat.CSV,
    since: Annotated[
        datetime | None, typer.Option("--from", help="The first day (UTC).", formats=DAY)
    ] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="The last day (UTC).", formats=DAY)] = None,
    account: Annotated[
        str | None, typer.Option(help="Only postings on this line of the chart: its name or its number.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Only this currency, such as USD.")] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """One row a posting, in the order in which they were posted; the export is itself recorded."""
    from core.ledger_export import export_ledger

    if currency:
        digits(currency.upper())
    wanted = LedgerFilter(
        since=_day(since),
        until=_day(until),
        line=line_named(account) if account else None,
        currency=currency.upper() if currency else None,
    )
    require_new(out)
    with opened() as desk, console.status("Exporting …") as status, whole_file(out) as file:

        def progress(done: int, total: int) -> None:
            status.update(f"Exporting … {done:,} of {total:,} postings")

        done = export_ledger(
            desk.reports,
            wanted,
            format,
            file,
            desk=desk.database,
            actor=operator.actor(desk, as_),
            now=desk.clock(),
            progress=progress,
        )
    data = {"file": str(out), "rows": done.rows, "sha256": done.sha256, "filter": wanted.facts()}
    say(data, as_json=as_json, words=tell(f"{done.rows:,} postings in {out} (SHA-256 {done.sha256})."))


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None
