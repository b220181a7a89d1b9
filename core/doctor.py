"""`escrow-desk doctor`: each thing the desk stands on, looked at once, with what to do when it is not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.config import STRIPE_API, Settings
from core.db import Database
from core.errors import DeskError
from core.gateways.stripe_adapter import StripePayments


@dataclass(frozen=True)
class Look:
    """One thing looked at. `words` says what was found, or what to do."""

    what: str
    ok: bool
    words: str


def examine(settings: Settings) -> list[Look]:
    return [look() if callable(look) else look for look in _looks(settings)]


def _looks(settings: Settings) -> Iterator[Callable[[], Look] | Look]:
    yield Look("Python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _home(settings)
    for name, url, role in (
        ("Database as app", settings.database_url, "app"),
        ("Database as auditor", settings.auditor_url, "auditor"),
    ):
        yield lambda name=name, url=url, role=role: _database(name, url, role)  # type: ignore[misc]
    yield lambda: _stripe(settings)
    told = (
        "set"
        if settings.stripe_webhook_secret
        else "missing: set STRIPE_WEBHOOK_SECRET, or webhooks are refused"
    )
    yield Look("Webhook secret", bool(settings.stripe_webhook_secret), told)
    mail = (
        settings.smtp_url.split("@")[-1]
        if settings.smtp_url
        else f"kept as files in {settings.home / 'mail'}"
    )
    yield Look("Mail", bool(settings.smtp_url) or settings.demo, mail)


def _home(settings: Settings) -> Look:
    home = settings.home.resolve()
    if not home.is_dir():
        return Look("Home", False, f"{home} does not exist; it is made at the first start")
    writable = os.access(home, os.W_OK)
    return Look("Home", writable, str(home) if writable else f"{home} cannot be written to")


def _database(name: str, url: str, role: str) -> Look:
    if not url:
        return Look(name, False, "set DATABASE_URL")
    database = Database(url, pool_size=1)
    try:
        with database.reading() as session:
            version, revision, member, demo = session.execute(
                text(
                    "select current_setting('server_version'), (select version_num from alembic_version),"
                    " pg_has_role(current_user, :role, 'member'), (select demo from installation)"
                ),
                {"role": role},
            ).one()
    except SQLAlchemyError as problem:
        reason = str(getattr(problem, "orig", None) or problem).strip().splitlines()[0]
        return Look(name, False, reason)
    finally:
        database.dispose()
    mark = ", demo data" if demo else ""
    if not member:
        return Look(name, False, f"this login is not a member of the role {role}: grant it")
    return Look(name, True, f"PostgreSQL {version}, schema {revision}{mark}")


def _stripe(settings: Settings) -> Look:
    where = "Stripe" if settings.stripe_api_base == STRIPE_API else f"sandbox at {settings.stripe_api_base}"
    if not settings.stripe_api_key:
        return Look("Stripe", False, "set STRIPE_API_KEY")
    try:
        balance = StripePayments(settings.stripe_api_key, base=settings.stripe_api_base).balance()
    except DeskError as problem:
        return Look("Stripe", False, problem.message)
    return Look(
        "Stripe", True, f"{where}: {', '.join(money.text() for money in balance.values()) or 'empty'}"
    )
