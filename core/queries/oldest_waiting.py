"""The oldest rows of each kind of background work: Stripe's events, operations, e-mails, marketplaces' events, exports.

A row that is not due yet does not wait, unless it was tried in vain; a blocked one waits for something else, which
says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.policy.limits import (
    EMAIL_OLDEST,
    EXPORT_OLDEST,
    MARKETPLACE_EVENT_OLDEST,
    OPERATION_OLDEST,
    STRIPE_EVENT_OLDEST,
)


class Work(StrEnum):
    STRIPE_EVENT = "stripe_event"
    OPERATION = "operation"
    EMAIL = "email"
    MARKETPLACE_EVENT = "marketplace_event"
    EXPORT = "export"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS: Mapping[Work, str] = {
    Work.STRIPE_EVENT: "event from Stripe",
    Work.OPERATION: "operation",
    Work.EMAIL: "e-mail",
    Work.MARKETPLACE_EVENT: "event to a marketplace",
    Work.EXPORT: "export",
}
LIMITS: Mapping[Work, timedelta] = {
    Work.STRIPE_EVENT: STRIPE_EVENT_OLDEST,
    Work.OPERATION: OPERATION_OLDEST,
    Work.EMAIL: EMAIL_OLDEST,
    Work.MARKETPLACE_EVENT: MARKETPLACE_EVENT_OLDEST,
    Work.EXPORT: EXPORT_OLDEST,
}
# What was tried in vain has waited since it was written; what was never tried, since it was due.
OLDEST = text(
    """
    select (select min(received_at) from webhook_events where status = 'RECEIVED') as stripe_event,
           (select min(case when last_error is null then next_try_at else created_at end) from outgoing_operations
             where status in ('QUEUED', 'SENDING') and provider_id is null
               and (last_error is not null or next_try_at <= :now)) as operation,
           (select min(case when error is null then next_try_at else created_at end) from notifications
             where status = 'QUEUED' and (error is not null or next_try_at <= :now)) as email,
           (select min(created_at) from outgoing_events where status = 'QUEUED') as marketplace_event,
           (select min(next_try_at) from exports
             where removed_at is null and finished_at is null and failure is null and next_try_at <= :now) as export
    """
)


@dataclass(frozen=True)
class Oldest:
    """Since when the oldest of one kind has waited; `since` is None where nothing waits."""

    work: Work
    since: datetime | None

    def age(self, now: datetime) -> timedelta:
        return max(now - self.since, timedelta(0)) if self.since else timedelta(0)

    def too_old(self, now: datetime) -> bool:
        return self.age(now) > LIMITS[self.work]


def oldest(session: Session, *, now: datetime) -> list[Oldest]:
    """One of each kind of work."""
    row = session.execute(OLDEST, {"now": now}).mappings().one()
    return [Oldest(each, row[each.value]) for each in Work]
