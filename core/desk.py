"""The desk put together from its settings: the one place where the parts meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from core.clock import Clock, MovedClock, system_clock
from core.config import Settings
from core.db import Database, application_name
from core.gateways.evidence_store import EvidenceStore
from core.gateways.mail import Mail, mail_from
from core.gateways.payments import Payments
from core.gateways.stripe_adapter import StripePayments
from core.records import DemoClock
from core.replica import HeavyReads


@dataclass(frozen=True)
class Desk:
    """What an edge (page, worker, command, webhook) needs to run an action."""

    settings: Settings
    database: Database
    auditor: Database
    payments: Payments
    evidence: EvidenceStore
    mail: Mail
    clock: Clock
    replica: Database | None = None

    @property
    def reports(self) -> HeavyReads:
        """For the export of the ledger, which reads much: from the replica, where there is one that is up to date."""
        return HeavyReads(self.auditor, self.replica)

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock | None = None, part: str = "command") -> Desk:
        """`part`: what this process calls itself at the database (`core.db.application_name`)."""
        database = Database(settings.database_url, application=application_name(part))
        return cls(
            settings=settings,
            database=database,
            auditor=Database(settings.auditor_url, pool_size=2, application="escrow-desk-auditor"),
            payments=StripePayments(settings.stripe_api_key, base=settings.stripe_api_base),
            evidence=EvidenceStore(settings.home, key=settings.evidence_key),
            mail=mail_from(settings),
            clock=clock or clock_of(settings, database),
            replica=_replica(settings),
        )

    def close(self) -> None:
        self.database.dispose()
        self.auditor.dispose()
        if self.replica is not None:
            self.replica.dispose()


def _replica(settings: Settings) -> Database | None:
    url = settings.database_replica_url
    return Database(url, pool_size=2, application="escrow-desk-reports") if url else None


def clock_of(settings: Settings, database: Database) -> Clock:
    """This computer's clock; in a demo, ahead of it by what its database says: one row, read whenever it is asked."""
    if not settings.demo:
        return system_clock
    ahead = select(DemoClock.ahead)

    def read() -> timedelta:
        with database.glance() as session:
            return session.scalar(ahead) or timedelta(0)

    return MovedClock(read)
