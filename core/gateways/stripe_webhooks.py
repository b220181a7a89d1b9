"""Webhooks from Stripe: believed only with a signature of our secret over the very bytes that came, made just now."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import stripe

from core.errors import DeskError
from core.gateways import stripe_events
from core.gateways.snapshots import ProviderEvent
from core.gateways.stripe_snapshots import moment

TOLERANCE = timedelta(minutes=5)


class WebhookUnsigned(DeskError):
    """This webhook has no signature that can be read."""


class WebhookNotText(DeskError):
    """This webhook is no text in UTF-8, as every event is. Its signature was not looked at."""


class WebhookForged(DeskError):
    """This webhook was not signed with our secret, or was changed on the way."""


class WebhookOutOfTime(DeskError):
    """This webhook was signed at {signed_at}, more than {tolerance} from now: sent again later, or a wrong clock."""


class WebhookUnreadable(DeskError):
    """This webhook is signed but is no event."""


def verify(
    raw: bytes, header: str, secret: str, *, now: datetime, also: datetime | None = None
) -> ProviderEvent:
    """The event in a request body, if it is Stripe's and fresh.

    `secret` may be several with commas between them: one endpoint is needed for the platform's events and one for
    those of connected accounts, and each has its own; while one is being rolled there are two. The time is checked
    on both sides, because a signature from the future would stay fresh for ever. `also`: another clock that it may have
    been signed by, where two are in use.
    """
    signed_at = _signed_at(header)
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise WebhookNotText() from None
    if not any(_signed_with(raw, header, each) for each in secret.split(",") if each.strip()):
        raise WebhookForged()
    if min(abs(clock - signed_at) for clock in (now, also or now)) > TOLERANCE:
        raise WebhookOutOfTime(signed_at=signed_at.isoformat(), tolerance=TOLERANCE)
    try:
        return stripe_events.event(json.loads(raw), now=now)
    except (ValueError, TypeError, RecursionError):
        raise WebhookUnreadable() from None


def _signed_at(header: str) -> datetime:
    times = re.findall(r"(?:^|,)\s*t=(\d{1,11})(?=,|$)", header or "")
    if len(times) != 1:
        raise WebhookUnsigned()
    return moment(int(times[0]))


def _signed_with(raw: bytes, header: str, secret: str) -> bool:
    if not header.isascii():
        return False
    try:
        stripe.WebhookSignature.verify_header(raw, header, secret.strip(), tolerance=None)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True
