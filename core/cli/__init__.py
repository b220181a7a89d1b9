"""`escrow-desk`: everything an operator does from a terminal. `--json` where a program may read the answer.

Exit codes: 0 done and well, 1 done and something is wrong (a check, a verification, a reconciliation), 2 not done.
One file a group of commands; how they answer is in `core/cli/output.py`, how they refuse in `core/cli/refusals.py`.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from core import logs
from core.cli import (
    api_access,
    audit,
    backup,
    breaks,
    case,
    demo,
    export,
    operation,
    period,
    person,
    receipt,
    report,
    retention,
    running,
    search,
    settlement,
    staff,
    statement,
    statement_of,
    verification,
    webhook,
)
from core.cli.output import trouble
from core.cli.refusals import asked_for_json, refusal

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Escrow Desk."
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"Escrow Desk {version('escrow-desk')}")
        raise typer.Exit


@app.callback()
def _options(
    asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None: ...


app.add_typer(demo.app, name="demo")
running.add_to(app)
verification.add_to(app)
period.add_to(app)
backup.add_to(app)
report.add_to(app)
app.command("statement-of")(statement_of.statement_of)
app.command()(receipt.receipt)
app.command()(receipt.verify)
app.command()(search.search)
app.add_typer(audit.app, name="audit")
app.add_typer(breaks.app, name="breaks")
app.add_typer(case.app, name="case")
app.add_typer(export.app, name="export")
app.add_typer(api_access.keys, name="api-key")
app.add_typer(api_access.endpoints, name="webhook-endpoint")
app.add_typer(settlement.app, name="settlement")
app.add_typer(operation.app, name="operation")
app.add_typer(person.app, name="person")
app.add_typer(retention.app, name="retention")
app.add_typer(staff.app, name="staff")
app.add_typer(statement.app, name="statement")
app.add_typer(statement.accounts_app, name="bank-account")
app.add_typer(webhook.app, name="webhook")

__all__ = ["app", "main"]


def main() -> None:
    """The entry point: a refusal is one sentence and exit code 2, never a traceback (but with LOG_LEVEL=DEBUG). Where
    JSON was asked for, it is JSON on the standard output as well."""
    logs.set_up(logging.ERROR)
    try:
        raise SystemExit(app(prog_name="escrow-desk", standalone_mode=False) or 0)
    except BrokenPipeError:  # `… | head`: whoever read has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(1) from None
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(130) from None
    except Exception as problem:
        if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
            raise
        refused = refusal(problem)
        if refused.detail:
            trouble.print("[red]✗[/red] ", end="")
            trouble.print(refused.detail, highlight=False, soft_wrap=True, markup=False)
            if asked_for_json(sys.argv[1:]):
                print(refused.as_json())
        raise SystemExit(2) from None
