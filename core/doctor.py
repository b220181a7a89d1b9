"""`escrow-desk doctor`: each thing the desk stands on, looked at once, with what to do when it is not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.api.http.api_keys import SHORTEST
from core.audit import outside_places
from core.audit.keys import KEY_FILE, own_key
from core.audit.pinned_keys import key_trouble, pins
from core.clock import system_clock
from core.config import STRIPE_API, Settings
from core.db import Database
from core.desk import clock_of
from core.errors import DeskError
from core.gateways.evidence_keys import Keyring, parse_key
from core.gateways.stripe_adapter import StripePayments
from core.migrate import pending
from core.policy import Platform
from core.queries import health
from core.queries.restores import ERASED_SINCE
from core.replica import HeavyReads

CLOCKS_APART = timedelta(seconds=5)  # deadlines and confirmations are compared across machines
SECRET_BEGINS = "whsec_"


@dataclass(frozen=True)
class Look:
    """One thing looked at. `words` says what was found, or what to do."""

    what: str
    ok: bool
    words: str


def examine(settings: Settings) -> list[Look]:
    """Every look, also where an earlier one failed. Nothing is made or changed by looking."""
    return [look() for look in _looks(settings)] + _running(settings)


def _looks(settings: Settings) -> Iterator[Callable[[], Look]]:
    yield lambda: Look("Python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield lambda: _home(settings)
    yield lambda: _evidence_key(settings)
    yield lambda: _signing_key(settings)
    yield lambda: _api_master_key(settings)
    yield lambda: _database("Database as app", settings.database_url, "app")
    yield lambda: _database("Database as auditor", settings.auditor_url, "auditor")
    if settings.database_replica_url:
        yield lambda: _read_replica(settings)
    yield lambda: _schema(settings)
    yield lambda: _erasures(settings)
    yield lambda: _clock_of_the_database(settings)
    yield lambda: _stripe(settings)
    yield lambda: _clock_of_the_provider(settings)
    yield lambda: _webhook_secret(settings)
    yield lambda: _mail(settings)
    yield lambda: _customers(settings)


def _read_replica(settings: Settings) -> Look:
    """The export of the ledger is right without it, but slower for everybody."""
    name = "Replica"
    primary, replica = (
        Database(url, pool_size=1) for url in (settings.auditor_url, settings.database_replica_url)
    )
    try:
        if HeavyReads(primary, replica).caught_up():
            return Look(name, True, "has all that is committed; the ledger’s export is read there")
        return Look(name, False, "does not follow the primary: the ledger’s export is read from the primary")
    except SQLAlchemyError as problem:
        return Look(name, False, f"{_why(problem)}; the ledger’s export is read from the primary")
    finally:
        primary.dispose()
        replica.dispose()


def _running(settings: Settings) -> list[Look]:
    """What goes on by itself: worker, webhooks, calls, e-mails, the record, reconciliation."""
    if not settings.database_url:
        return [Look("Work in progress", False, "set DATABASE_URL")]
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.reading() as session:
            found = health.states(
                session,
                settings.home,
                now=clock_of(settings, database)(),
                places=outside_places.places(settings),
            )
    except SQLAlchemyError as problem:
        return [Look("Work in progress", False, _why(problem))]
    finally:
        database.dispose()
    return [Look(each.part, each.ok, each.words) for each in found]


def _home(settings: Settings) -> Look:
    home = settings.home.resolve()
    if not home.is_dir():
        return Look("Home", False, f"{home} does not exist; it is made at the first start")
    if not os.access(home, os.W_OK | os.X_OK):
        return Look("Home", False, f"{home} cannot be written to: give it to the user that runs the desk")
    exposed = [path for path in (home / "keys", home / "evidence") if _others_may(path, 0o077)]
    if exposed:
        named = " and ".join(map(str, exposed))
        return Look("Home", False, f"other users of this computer can look into {named}: chmod 700")
    if _others_may(home, 0o022):
        return Look("Home", False, f"other users of this computer can write to {home}: chmod go-w")
    return Look("Home", True, str(home))


def _others_may(path: Path, bits: int) -> bool:
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & bits)


def _evidence_key(settings: Settings) -> Look:
    name, folder = "Evidence key", settings.home / "keys"
    try:
        if settings.evidence_key:
            parse_key(settings.evidence_key)
            found = "EVIDENCE_KEY"
        elif (path := folder / "evidence.key").exists():
            parse_key(path.read_text(encoding="ascii"))
            found = str(path)
            if _others_may(path, 0o077):
                return Look(name, False, f"other users of this computer can read {path}: chmod 600")
        elif any((folder / "evidence").glob("*.key")):
            return Look(
                name, False, f"{path} is gone and files are encrypted with it: restore it from the backup"
            )
        else:
            return Look(name, True, f"made in {path} at the first upload")
        return _opens(Keyring(folder, master=settings.evidence_key), found)
    except (DeskError, OSError, ValueError) as problem:
        return Look(name, False, getattr(problem, "message", None) or str(problem))


def _opens(ring: Keyring, found: str) -> Look:
    """That the master key is fit is one thing; that it opens what lies there is the other."""
    first = next((path.stem for path in sorted((ring.folder / "evidence").glob("*.key"))), None)
    if first is None:
        return Look("Evidence key", True, found)
    ring.key_for(int(first), make=False)
    return Look("Evidence key", True, f"{found}, opens the key of party {first}; the others were not tried")


def _signing_key(settings: Settings) -> Look:
    """Its fingerprint, for whoever verifies elsewhere; and whether it is the one that the database pins."""
    name = "Signing key"
    try:
        trouble, pinned = _pinned(settings)
        if trouble:
            return Look(name, False, trouble)
        public = own_key(settings.home)
    except (DeskError, OSError) as problem:
        return Look(name, False, getattr(problem, "message", None) or str(problem))
    made = f"none yet: `escrow-desk migrate` makes it in {settings.home / 'keys' / KEY_FILE} and pins it"
    return Look(name, True, f"fingerprint {public.fingerprint}, {PINNED[pinned]}" if public else made)


def _pinned(settings: Settings) -> tuple[str | None, bool | None]:
    """What is wrong with the key, and whether one is pinned; None where no database says so."""
    if not settings.database_url:
        return None, None
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.reading() as session:
            return key_trouble(session, settings.home), bool(pins(session))
    except SQLAlchemyError:
        return None, None  # another look says so
    finally:
        database.dispose()


def _api_master_key(settings: Settings) -> Look:
    """What the signing secrets of the marketplace's API are derived from."""
    path = settings.home / "keys" / "api-master.key"
    if settings.api_master_key:
        fit = len(settings.api_master_key) >= SHORTEST
        told = (
            "API_MASTER_KEY"
            if fit
            else f"API_MASTER_KEY is too short: it needs {SHORTEST} characters or more"
        )
        return Look("API master key", fit, told)
    if not path.exists():
        return Look("API master key", True, f"made in {path} when the first platform comes in")
    if _others_may(path, 0o077):
        return Look(
            "API master key",
            False,
            f"other users of this computer can read {path}: chmod 600, and replace it",
        )
    return Look("API master key", True, str(path))


def _asked(url: str, question: str, **values: str) -> tuple[object, ...]:
    """One row from the database. Raises whatever SQLAlchemy raises."""
    database = Database(url, pool_size=1)
    try:
        with database.reading() as session:
            return tuple(session.execute(text(question), values).one())
    finally:
        database.dispose()


PINNED = {
    True: "pinned in the database",
    False: "not pinned yet: `escrow-desk migrate` does it",
    None: "whether it is pinned is not known: the database did not answer",
}
LOGIN = """
select current_setting('server_version'), (select version_num from alembic_version),
       pg_has_role(current_user, :role, 'member'), (select demo from installation)
"""


def _database(name: str, url: str, role: str) -> Look:
    if not url:
        return Look(name, False, "set DATABASE_URL")
    try:
        version, revision, member, demo = _asked(url, LOGIN, role=role)
    except SQLAlchemyError as problem:
        return Look(name, False, _why(problem))
    if not member:
        return Look(name, False, f"this login is not a member of the role {role}: grant it")
    return Look(name, True, f"PostgreSQL {version}, schema {revision}{', demo data' if demo else ''}")


def _why(problem: SQLAlchemyError) -> str:
    if isinstance(problem, ArgumentError):
        return "the address cannot be read; it looks like postgresql://login:password@host/name"
    state = getattr(getattr(problem, "orig", None), "sqlstate", None)
    if state == "42P01":
        return "there is no schema yet: run `escrow-desk migrate`"
    return str(getattr(problem, "orig", None) or problem).strip().splitlines()[0]


def _schema(settings: Settings) -> Look:
    if not settings.database_url:
        return Look("Schema", False, "set DATABASE_URL")
    try:
        missing = pending(settings.database_url)
    except SQLAlchemyError as problem:
        return Look("Schema", False, _why(problem))
    if missing:
        return Look("Schema", False, f"lacks {', '.join(missing)}: run `escrow-desk migrate`")
    return Look("Schema", True, "as this version needs it")


def _erasures(settings: Settings) -> Look:
    """The home remembers whose files were made unreadable. Where the database does not, it is from before."""
    name = "Erasures"
    stones = Keyring(settings.home / "keys").stones()
    if not settings.database_url:
        return Look(name, False, "set DATABASE_URL")
    try:
        (back,) = _asked(settings.database_url, ERASED_SINCE, stones=" ".join(map(str, stones)))
    except SQLAlchemyError as problem:
        return Look(name, False, _why(problem))
    if back:
        assert isinstance(back, list)
        them = ", ".join(map(str, back))
        return Look(
            name,
            False,
            f"this database was restored from before parties {them} were erased: erase them again",
        )
    return Look(name, True, f"{len(stones)} in the home, and the database knows each" if stones else "none")


def _clock_of_the_database(settings: Settings) -> Look:
    name = "Clock, and the database's"
    if not settings.database_url:
        return Look(name, False, "set DATABASE_URL")
    before = system_clock()
    try:
        (theirs,) = _asked(settings.database_url, "select clock_timestamp()")
    except SQLAlchemyError as problem:
        return Look(name, False, _why(problem))
    assert isinstance(theirs, datetime)
    return _apart(name, theirs, before, system_clock(), CLOCKS_APART)


def _clock_of_the_provider(settings: Settings) -> Look:
    """Every web server tells its time; a webhook older than five minutes by ours is refused."""
    name = "Clock, and Stripe's"
    before = system_clock()
    try:
        told = requests.get(settings.stripe_api_base, timeout=10).headers.get("Date")
        theirs = parsedate_to_datetime(told or "").astimezone(UTC)
    except requests.RequestException as problem:
        return Look(name, False, f"{settings.stripe_api_base} does not answer ({type(problem).__name__})")
    except ValueError:
        return Look(name, True, f"{settings.stripe_api_base} does not tell its time, so it was not compared")
    return _apart(name, theirs, before, system_clock(), CLOCKS_APART + timedelta(seconds=1))


def _apart(name: str, theirs: datetime, before: datetime, after: datetime, most: timedelta) -> Look:
    """Their clock was read between two looks at ours, so only what lies outside of those counts."""
    ahead, behind = before - theirs, theirs - after
    if max(ahead, behind) <= most:
        return Look(name, True, "agree")
    apart, how = (ahead, "ahead") if ahead > behind else (behind, "behind")
    return Look(name, False, f"ours is {apart.total_seconds():.0f} s {how}: let both follow a time server")


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


def _webhook_secret(settings: Settings) -> Look:
    secrets = [each.strip() for each in settings.stripe_webhook_secret.split(",") if each.strip()]
    if not secrets:
        return Look("Webhook secret", False, "missing: set STRIPE_WEBHOOK_SECRET, or webhooks are refused")
    if odd := [each for each in secrets if not each.startswith(SECRET_BEGINS)]:
        told = f"{len(odd)} of {len(secrets)} do not begin with {SECRET_BEGINS}: copy them from Stripe again"
        return Look("Webhook secret", False, told)
    return Look("Webhook secret", True, "set" if len(secrets) == 1 else f"{len(secrets)} are set")


def _customers(settings: Settings) -> Look:
    """Every e-mail says whom to ask; the sender's address does, where no other is set."""
    missing = [
        f"{each.upper()}_{what}"
        for each in Platform
        for what in ("CONTACT", "LINK")
        if not getattr(settings, f"{each}_{what.lower()}")
    ]
    asked = ", ".join(sorted({settings.contact(each) for each in Platform}))
    if missing:
        return Look("Contact in e-mails", True, f"{asked}; not set: {', '.join(missing)}")
    return Look("Contact in e-mails", True, asked)


def _mail(settings: Settings) -> Look:
    kept = f"kept as files in {settings.home / 'mail'}"
    if settings.smtp_url:
        return Look("Mail", True, f"{settings.smtp_url.split('@')[-1]}, not tried")
    return Look("Mail", settings.demo, kept if settings.demo else f"{kept}: nobody gets them. Set SMTP_URL")
