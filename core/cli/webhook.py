"""`escrow-desk webhook`: Stripe's events that were given up, and another try."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, opened, say, tell
from core.rules.webhooks import WebhookStatus

app = typer.Typer(no_args_is_help=True, help="Stripe's events that could not be applied.")


@app.command("list")
def list_failed(as_json: Json = False) -> None:
    """The events that were given up, and why; at most 100, the newest first."""
    from sqlalchemy import select

    from core.records import WebhookEvent

    wanted = select(WebhookEvent).where(WebhookEvent.status == WebhookStatus.FAILED)
    with opened() as desk, desk.database.reading() as session:
        rows = session.scalars(wanted.order_by(WebhookEvent.received_at.desc()).limit(100)).all()
        data = [
            {"id": row.id, "kind": row.kind, "received_at": row.received_at, "reason": row.error}
            for row in rows
        ]
    lines = [
        f"{row['id']}  {row['kind']}  {row['received_at']:%Y-%m-%d %H:%M} UTC  {row['reason'] or ''}".rstrip()
        for row in data
    ]
    say(data, as_json=as_json, words=tell("\n".join(lines) or "No event was given up."))


@app.command()
def retry(
    event: Annotated[str, typer.Argument(help="The event's id: evt_…")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Take up an event again that was given up, once its cause is repaired. A worker applies it."""
    from core.actions.operations import webhook_retry

    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(
            lambda session: webhook_retry.retry(
                session, actor, now=desk.clock(), event_id=event, reason=reason
            )
        )
    say(
        {"event": event, "status": WebhookStatus.RECEIVED},
        as_json=as_json,
        words=tell(f"{event} is taken up again."),
    )
