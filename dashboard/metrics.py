"""`GET /metrics` in Prometheus' text format: how many of each thing are in which state. Numbers only, no names.

Answered to this machine only; a collector elsewhere reads it through an agent beside the desk.
"""

from __future__ import annotations

from datetime import datetime

from anyio import to_thread
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.desk import Desk
from core.queries import client_funds, health, reconciliation
from dashboard.demo_sign_in import LOOPBACK

_COUNTS = {
    "escrow_desk_open_tickets": "select status, count(*) from tickets where resolved_at is null group by 1",
    "escrow_desk_outgoing_operations": "select status, count(*) from outgoing_operations group by 1",
    "escrow_desk_webhook_events": "select status, count(*) from webhook_events group by 1",
    "escrow_desk_letters": "select status, count(*) from notifications group by 1",
    "escrow_desk_letters_late": """select 'late', count(*) from notifications where status = 'QUEUED'
        and created_at < now() - interval '1 hour'
        and (error is not null or next_try_at < now() - interval '1 hour')""",
    "escrow_desk_jobs": "select status::text, count(*) from procrastinate_jobs group by 1",
    "escrow_desk_active_holds": "select kind, count(*) from holds where released_at is null group by 1",
}


def routes(desk: Desk) -> list[Route]:
    async def metrics(request: Request) -> Response:
        if request.client is None or request.client.host not in LOOPBACK:
            return PlainTextResponse("Ask from this machine.", 403)
        try:
            body = await to_thread.run_sync(render, desk)
        except SQLAlchemyError:
            body = "escrow_desk_database_up 0\n"
        return PlainTextResponse(body, media_type="text/plain; version=0.0.4")

    return [Route("/metrics", metrics)]


def render(desk: Desk) -> str:
    """One line for each state that occurs."""
    lines = ["escrow_desk_database_up 1"]
    with desk.database.reading() as session:
        for name, query in _COUNTS.items():
            lines.append(f"# TYPE {name} gauge")
            lines += [f'{name}{{state="{state}"}} {count}' for state, count in session.execute(text(query))]
        lines.append("# TYPE escrow_desk_part_healthy gauge")
        for each in health.states(session, desk.settings.home, now=desk.clock()):
            part = each.part.lower().replace(" ", "_")
            lines.append(f'escrow_desk_part_healthy{{part="{part}"}} {int(each.ok)}')
        lines += _client_funds(session)
        found = reconciliation.standing(session)
    lines += _reconciliation(found, desk.clock())
    return "\n".join(lines) + "\n"


def _reconciliation(found: reconciliation.ReconciliationStatus, now: datetime) -> list[str]:
    """The verdict as a state, and how old what is known is; no age where nothing was ever compared."""
    name = "escrow_desk_reconciliation"
    lines = [f"# TYPE {name} gauge", f'{name}{{state="{found.verdict(now)}"}} 1']
    if found.compared:
        age = int((now - found.compared.until).total_seconds())
        lines += [f"# TYPE {name}_age_seconds gauge", f"{name}_age_seconds {age}"]
    return lines


def _client_funds(session: Session) -> list[str]:
    """By currency in minor units: what Stripe held at the last look, what was owed then, and when that was."""
    lines = []
    looks = client_funds.latest(session)
    for name, value in (
        ("escrow_desk_client_funds_at_stripe_minor", lambda look: look.at_stripe.minor),
        ("escrow_desk_client_funds_owed_minor", lambda look: look.owed.minor),
        ("escrow_desk_client_funds_short_minor", lambda look: look.short.minor),
        ("escrow_desk_client_funds_looked_at_seconds", lambda look: int(look.at.timestamp())),
    ):
        lines.append(f"# TYPE {name} gauge")
        lines += [f'{name}{{currency="{currency}"}} {value(look)}' for currency, look in looks.items()]
    stops = client_funds.open_stops(session)
    lines.append("# TYPE escrow_desk_payouts_stopped gauge")
    return lines + [
        f'escrow_desk_payouts_stopped{{currency="{each}"}} {int(each in stops)}' for each in looks
    ]
