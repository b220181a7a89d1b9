"""`escrow-desk operation`: requests to Stripe that wait for a person, and those that wait since a restore."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, opened, say, tell
from core.rules.operations import OperationStatus

app = typer.Typer(no_args_is_help=True, help="Requests to Stripe that wait for a person.")
MOST = 100
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit log.")]


@app.command("list")
def list_waiting(as_json: Json = False) -> None:
    """Those in review, and why; at most 100, the newest first. And whether requests are paused since a restore."""
    from core.queries import operations, restores
    from core.queries.operations import OperationFilter

    waiting = OperationFilter(status=OperationStatus.REVIEW)
    with opened() as desk, desk.database.reading() as session:
        pause = restores.pause(session)
        rows = [
            {
                "id": each.id,
                "key": each.key,
                "kind": each.kind,
                "amount": each.amount,
                "reason": each.last_error,
            }
            for each in operations.page(session, waiting, limit=MOST)
        ]
    lines = [f"Requests to Stripe are {pause.words}."] if pause else []
    lines += [f"{row['id']}  {row['key']}  {row['amount']}  {row['reason'] or ''}".rstrip() for row in rows]
    say(
        {"paused": pause and vars(pause), "review": rows},
        as_json=as_json,
        words=tell("\n".join(lines) or "No request waits for a person."),
    )


@app.command()
def retry(
    operation: Annotated[
        int, typer.Argument(help="Its number, as in the list.", min=1, max=LARGEST_ID, metavar=NUMBER)
    ],
    reason: Reason,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Take up a charge or refund in review again. Its trace is looked for at Stripe before anything is sent."""
    from core.actions.operations import operation_retry

    with opened() as desk:
        actor = operator.actor(desk, as_)
        done = desk.database.run(
            lambda session: vars(
                operation_retry.retry(session, actor, now=desk.clock(), operation_id=operation, reason=reason)
            ).copy()
        )
    data = {"operation": operation, "key": done["key"], "status": done["status"], "attempt": done["attempt"]}
    say(data, as_json=as_json, words=tell(f"{done['key']} is taken up again."))


@app.command()
def resume(reason: Reason, as_: As = None, as_json: Json = False) -> None:
    """Let requests to Stripe go on that are paused since the database was restored."""
    from core.actions.platform import restores

    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(lambda session: restores.release(session, actor, now=desk.clock(), reason=reason))
    say({"paused": False}, as_json=as_json, words=tell("Requests to Stripe go on."))
