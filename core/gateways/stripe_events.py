"""What an event of Stripe's is about. It only says where to look, and whatever else it says is not believed.

A snapshot event carries the object. A thin event (`v2.core.event`) names it: those of v1 objects are followed like
their snapshots, those of v2 objects are about nothing that the desk has at Stripe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.errors import DeskError
from core.gateways.snapshots import ProviderEvent
from core.gateways.stripe_snapshots import moment

# What a database and a page can show; an event from another time came now.
BEGAN, ENDS = datetime(2010, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
THIN = "v2.core.event"
OF_V1 = "v1."
DISPUTE = "charge.dispute"
FAMILIES = frozenset({"account", "payment_intent", "charge", "payout", "refund", "setup_intent", "transfer"})


class EventUnusable(DeskError):
    """This event does not say what it is about: its {field} is {found}. Look at the event at Stripe."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The object to look at: `dispute`, or one of `FAMILIES`; `account` is the connected account it is on."""

    family: str
    id: str
    account: str | None


def event(body: Any, *, now: datetime) -> ProviderEvent:
    """Any signed body as an event, whatever its fields hold; what it cannot be used for shows when it is applied.

    Raises TypeError where it is no object at all.
    """
    if not isinstance(body, Mapping):
        raise TypeError("an event is an object")
    about = _object(body)
    return ProviderEvent(
        id=body.get("id", ""),
        type=body.get("type", ""),
        account=_text(body.get("context" if body.get("object") == THIN else "account")),
        created=_created(body.get("created"), now),
        object_id=_text(about.get("id")),
        object_kind=_text(about.get("object")) or _text(about.get("type")) or "",
        payload=body,
    )


def subject(kind: str, payload: Mapping[str, Any]) -> Subject | None:
    """Where to look; None for a kind that the desk does not follow. Raises `EventUnusable`."""
    family = followed(kind)
    if family is None:
        return None
    thin = payload.get("object") == THIN
    account = _account(payload, "context" if thin else "account")
    if family == "account":  # whatever of it changed; without one it is the platform's own
        return Subject(family, account, account) if account else None
    place = "related object" if thin else "data.object"
    about = _object(payload)
    if not about:
        raise _unusable(place, payload.get("related_object" if thin else "data"))
    if family == "charge" and not thin:
        return _payment(about, account)
    return Subject(family, _id(about, place), account)


def followed(kind: str) -> str | None:
    """The family of an event's kind, if the desk follows it."""
    plain = kind.removeprefix(OF_V1)
    if plain.startswith(DISPUTE):
        return "dispute"
    family = plain.partition(".")[0]
    return family if family in FAMILIES else None


def _account(payload: Mapping[str, Any], field: str) -> str | None:
    """The connected account; the last part of a context that goes through an organization."""
    found = payload.get(field)
    if found is not None and not isinstance(found, str):
        raise _unusable(field, found)
    return found.rpartition("/")[2] or None if found else None


def _payment(charge: Mapping[str, Any], account: str | None) -> Subject | None:
    """What a charge is part of; None where somebody made it without a payment intent."""
    intent = charge.get("payment_intent")
    if intent is None:
        return None
    if isinstance(intent, Mapping):
        return Subject("payment_intent", _id(intent, "payment intent"), account)
    return Subject("payment_intent", _id({"id": intent}, "payment intent"), account)


def _object(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the event carries or names; empty where it is no object."""
    data = payload.get("data")
    carried = data.get("object") if isinstance(data, Mapping) else None
    found = payload.get("related_object") if payload.get("object") == THIN else carried
    return found if isinstance(found, Mapping) else {}


def _id(about: Mapping[str, Any], place: str) -> str:
    found = about.get("id")
    if not isinstance(found, str) or not found:
        raise _unusable(f"{place} id", found)
    return found


def _unusable(field: str, found: Any) -> EventUnusable:
    return EventUnusable(field=field, found=repr(found)[:80])


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) else None


def _created(found: Any, now: datetime) -> datetime:
    """Seconds in a snapshot event, ISO 8601 in a thin one; what is neither, or was never, came now."""
    try:
        at = datetime.fromisoformat(found) if isinstance(found, str) else moment(found)
        return at.astimezone(UTC) if BEGAN <= at < ENDS else now
    except (TypeError, ValueError, OverflowError, OSError):
        return now
