"""What is known of a party is changed: name, address, language, and what a payer pays with.

The database keeps what was there before (`party_changes`) and tells the marketplace; the log says which fields changed,
and not to what. An address is told that it is one no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.milestones import letters
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.gateways.payments import MethodSnapshot
from core.records import Party
from core.rules import outside_words
from core.rules.parties import require_not_erased
from core.rules.permissions import Actor, require_party

KEPT: Mapping[str, Callable[[str], str]] = {
    "name": partial(outside_words.line, field="name"),
    "email": letters.checked,
    "city": partial(outside_words.place, field="city"),
    "country": outside_words.country,
}


class CountryFixed(DeskError):
    """{party} has an account at Stripe, which was opened in {country} and stays there. Nothing was
    changed."""


class NothingToChange(DeskError):
    """Say what is to change: name, e-mail address, city, country or language."""


def require_changeable(party: Party, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values, as they are kept, that are others than now. Raises `NothingToChange`, `CountryFixed`,
    `AddressUnusable`, `WordsUnusable`."""
    if not wanted:
        raise NothingToChange()
    kept = {name: KEPT[name](value) if name in KEPT else value for name, value in wanted.items()}
    other = {name: value for name, value in kept.items() if getattr(party, name) != value}
    if "country" in other and party.stripe_account is not None:
        raise CountryFixed(party=party.external_id, country=party.country)
    return other


def change(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    party_id: int,
    wanted: Mapping[str, Any],
    method: MethodSnapshot | None = None,
) -> Party:
    """All of it or nothing; the same again changes nothing. `method`: what the provider says of another payment method.
    Raises as `require_changeable`, `NotYours`, `PartyErased`."""
    require_party(actor, party_id)
    party = session.get_one(Party, party_id, with_for_update={"key_share": True}, populate_existing=True)
    require_not_erased(party.external_id, party.erased_at)
    other = require_changeable(party, wanted)
    if not other:
        return party
    before = party.email
    for name, value in other.items():
        setattr(party, name, value)
    if "payment_method" in other:
        describe_method(party, method)
    party.changed_at = now
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.PARTY_CHANGE.by("party"),
        object_kind="party",
        object_id=party_id,
        now=now,
        after={"fields": sorted(other)},
    )
    if "email" in other:
        _tell(session, party, before, now=now)
    return party


def describe_method(party: Party, method: MethodSnapshot | None) -> None:
    """What the provider says of what the payer pays with from now on. Nobody has agreed to charges of it yet."""
    party.method_kind = method.kind if method else None
    party.method_brand = method.brand if method else None
    party.method_last4 = method.last4 if method else None
    party.method_saved_at = None


def paid_with(party: Party, payment_method: str, *, now: datetime) -> None:
    """The payer paid while they were there, and the provider keeps the method for charges while they are away."""
    if party.payment_method == payment_method and party.method_saved_at is None:
        party.method_saved_at = now


def _tell(session: Session, party: Party, before: str, *, now: datetime) -> None:
    """Write to the old address and to the new one, so that whoever did not ask for the change can say so."""
    for number, address in enumerate((before, None)):
        notifications.tell_party(
            session,
            "email_changed",
            party=party,
            address=address,
            key=f"email-changed-{party.id}-{now.isoformat()}-{number}",
            now=now,
            at=now,
        )
