"""`GET /metrics` in Prometheus' text format: how many of each thing are in which state. Numbers only, no names.

Answered to this machine only; a collector elsewhere reads it through an agent beside the desk.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from anyio import to_thread
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.audit import outside, outside_places
from core.audit.pinned_keys import ledger_name
from core.desk import Desk
from core.ledger import accounts
from core.queries import client_funds, health, ledger, reconciliation
from core.queries.oldest_waiting import oldest
from core.replica import behind
from dashboard.address_limits import ENTRY_POINTS, refused_at
from dashboard.demo_sign_in import LOOPBACK

_COUNTS = {
    "escrow_desk_open_cases": (
        "Open cases by status",
        "select status, count(*) from cases where resolved_at is null group by 1",
    ),
    "escrow_desk_outgoing_operations": (
        "Operations at Stripe by status",
        "select status, count(*) from outgoing_operations group by 1",
    ),
    "escrow_desk_webhook_events": (
        "Webhook events by status",
        "select status, count(*) from webhook_events group by 1",
    ),
    "escrow_desk_letters": (
        "E-mails by status",
        "select status, count(*) from notifications group by 1",
    ),
    "escrow_desk_letters_late": (
        "E-mails that should have left an hour ago",
        """select 'late', count(*) from notifications where status = 'QUEUED'
        and created_at < :now - interval '1 hour'
        and (error is not null or next_try_at < :now - interval '1 hour')""",
    ),
    "escrow_desk_marketplace_events": (
        "Events for the marketplaces by status",
        "select status, count(*) from outgoing_events group by 1",
    ),
    "escrow_desk_jobs": (
        "Background jobs by status",
        "select status::text, count(*) from procrastinate_jobs group by 1",
    ),
    "escrow_desk_active_holds": (
        "Holds that are not lifted, by kind",
        "select kind, count(*) from holds where released_at is null group by 1",
    ),
}


def routes(desk: Desk) -> list[Route]:
    async def metrics(request: Request) -> Response:
        if request.client is None or request.client.host not in LOOPBACK:
            return PlainTextResponse("Ask from this machine.", 403)
        body = await to_thread.run_sync(render, desk)
        return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [Route("/metrics", metrics)]


def render(desk: Desk) -> bytes:
    """Every gauge; of a database that is away nothing but that."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(desk))
    return generate_latest(registry)


class _Gauges(Collector):
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _by(
            "entry_point",
            "escrow_desk_addresses_refused",
            "Requests that this process answered with 429, by entry point",
            {each.name: refused_at[each.name] for each in ENTRY_POINTS},
        )
        try:
            yield from [
                _gauge("escrow_desk_database_up", "Whether the database answers", 1),
                *_read(self.desk),
                *_replica(self.desk),
            ]
        except SQLAlchemyError:
            yield _gauge("escrow_desk_database_up", "Whether the database answers", 0)


def _read(desk: Desk) -> Iterator[GaugeMetricFamily]:
    now = desk.clock()
    with desk.database.reading() as session:
        for name, (meaning, query) in _COUNTS.items():
            counts = {str(state): int(count) for state, count in session.execute(text(query), {"now": now})}
            yield _by("state", name, meaning, counts)
        parts = health.states(
            session, desk.settings.home, now=now, places=outside_places.places(desk.settings)
        )
        healthy = {each.part.lower().replace(" ", "_"): int(each.ok) for each in parts}
        yield _by("part", "escrow_desk_part_healthy", "Whether a part of the desk works", healthy)
        ages = {each.work.value: int(each.age(now).total_seconds()) for each in oldest(session, now=now)}
        yield _by("work", "escrow_desk_oldest_waiting_seconds", "How long the oldest has waited", ages)
        yield from _client_funds(session)
        yield _balances(session)
        yield from _checkpoints_outside(session, desk, now)
        found = reconciliation.status(session)
    yield from _reconciliation(found, now)


def _reconciliation(found: reconciliation.ReconciliationStatus, now: datetime) -> Iterator[GaugeMetricFamily]:
    """The verdict as a state, and how old what is known is; no age where nothing was ever compared."""
    name = "escrow_desk_reconciliation"
    yield _by("state", name, "What the last reconciliation found", {str(found.verdict(now)): 1})
    if found.compared:
        age = int((now - found.compared.until).total_seconds())
        yield _gauge(f"{name}_age_seconds", "How old the last reconciliation is", age)


def _checkpoints_outside(session: Session, desk: Desk, now: datetime) -> Iterator[GaugeMetricFamily]:
    """How far each place outside is behind, as the worker found it; no number where none is set."""
    places = outside_places.places(desk.settings)
    if not places:
        return
    folder, ledger = desk.settings.home / "checkpoints", ledger_name(session)
    found = {each.kind: outside.standing(folder, ledger, each) for each in places}
    ages = {
        kind: int((now - each.since).total_seconds()) if each.since else 0 for kind, each in found.items()
    }
    missing, lag = "escrow_desk_checkpoints_outside_missing", "escrow_desk_checkpoints_outside_lag_seconds"
    counts = {kind: each.missing for kind, each in found.items()}
    yield _by("place", missing, "Signed checkpoints that are not outside yet", counts)
    yield _by("place", lag, "How long the first of them has waited", ages)


def _client_funds(session: Session) -> Iterator[GaugeMetricFamily]:
    """By currency in minor units: what Stripe held at the last look, what was owed then, and when that was."""
    looks, stops = client_funds.latest(session), client_funds.open_stops(session)
    for name, meaning, value in (
        ("at_stripe_minor", "Stripe's balance", lambda look: look.at_stripe.minor),
        ("owed_minor", "Owed to others", lambda look: look.owed.minor),
        ("short_minor", "Missing at Stripe", lambda look: look.short.minor),
        ("looked_at_seconds", "When Stripe's balance was read", lambda look: int(look.at.timestamp())),
    ):
        values = {currency: value(look) for currency, look in looks.items()}
        yield _by("currency", f"escrow_desk_client_funds_{name}", meaning, values)
    stopped = {currency: int(currency in stops) for currency in looks}
    yield _by("currency", "escrow_desk_payouts_stopped", "Whether payouts wait for a person", stopped)


def _balances(session: Session) -> GaugeMetricFamily:
    """Every line of the chart by currency, in minor units, on the side on which its accounts grow."""
    name = "escrow_desk_balance_minor"
    gauge = GaugeMetricFamily(name, "Balance of a line of the chart", labels=["account", "currency"])
    for (line, currency), net in sorted(ledger.nets(session).items()):
        gauge.add_metric([line, currency], accounts.CHART[line].grown(net.minor))
    return gauge


def _replica(desk: Desk) -> Iterator[GaugeMetricFamily]:
    """How far the replica is behind; no number where there is none, or it does not answer."""
    if desk.replica is None:
        return
    try:
        bytes_behind = behind(desk.auditor, desk.replica)
    except SQLAlchemyError:
        yield _gauge("escrow_desk_replica_up", "Whether the replica answers", 0)
        return
    yield _gauge("escrow_desk_replica_up", "Whether the replica answers", 1)
    yield _gauge("escrow_desk_replica_behind_bytes", "What the replica has not replayed yet", bytes_behind)


def _gauge(name: str, meaning: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)


def _by(label: str, name: str, meaning: str, values: dict[str, int]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, meaning, labels=[label])
    for each, value in values.items():
        gauge.add_metric([each], value)
    return gauge
