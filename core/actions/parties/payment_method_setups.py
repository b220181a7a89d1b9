"""Saving a payer's payment method for charges while they are away.

The result is read at Stripe, never taken from an event.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.parties import details
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.gateways.payments import SetupSnapshot
from core.records import Party, PaymentMethodSetup
from core.rules import declines
from core.rules.payment_method_setups import SetupStatus
from core.rules.permissions import SYSTEM, Actor


class MandateRequired(DeskError, tells=("party", "payment_method", "kind")):
    """This is a bank account, and it is debited only once its holder has agreed to debits. Begin to save it
    (payment-method-setups), and have the payer agree in your page; nothing was changed."""


def require_saved(session: Session, party: Party, payment_method: str, *, kind: str) -> None:
    """The payer agreed to debits of this bank account when it was saved. Raises `MandateRequired`."""
    saved = select(PaymentMethodSetup.id).where(
        PaymentMethodSetup.party_id == party.id,
        PaymentMethodSetup.payment_method == payment_method,
        PaymentMethodSetup.status == SetupStatus.SAVED,
    )
    if session.scalar(saved) is None:
        raise MandateRequired(party=party.external_id, payment_method=payment_method, kind=kind)


def unfinished(session: Session, party_id: int) -> list[str]:
    """The party's latest setups, in the provider's ids, that are not known to have saved anything."""
    wanted = select(PaymentMethodSetup.stripe_setup_intent).where(
        PaymentMethodSetup.party_id == party_id, PaymentMethodSetup.status != SetupStatus.SAVED
    )
    return list(session.scalars(wanted.order_by(PaymentMethodSetup.id.desc()).limit(5)))


def begun(session: Session, party_id: int, setup: SetupSnapshot, *, now: datetime) -> PaymentMethodSetup:
    """The payer begins to save a payment method; nothing is charged."""
    row = PaymentMethodSetup(party_id=party_id, stripe_setup_intent=setup.id, created_at=now, changed_at=now)
    session.add(row)
    session.flush()
    _note(session, Actor("party", party_id), AuditAction.PAYMENT_METHOD_SETUP, row, now)
    return row


def follow(session: Session, setup: SetupSnapshot, *, now: datetime) -> bool:
    """Record the state of the setup; a saved method becomes the payer's payment method. Returns False for a setup
    that is not of this desk. May be applied any number of times and in any order."""
    party_id = session.scalar(
        select(PaymentMethodSetup.party_id).where(PaymentMethodSetup.stripe_setup_intent == setup.id)
    )
    if party_id is None:
        return False
    session.get_one(Party, party_id, with_for_update={"key_share": True}, populate_existing=True)
    row = session.scalars(
        select(PaymentMethodSetup)
        .where(PaymentMethodSetup.stripe_setup_intent == setup.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.status == SetupStatus.SAVED:
        return True
    if setup.status == "succeeded" and setup.payment_method is not None:
        wanted = {"payment_method": setup.payment_method}
        party = details.change(
            session,
            Actor("party", party_id),
            now=now,
            party_id=party_id,
            wanted=wanted,
            method=setup.method,
        )
        party.method_saved_at = now
        row.payment_method = setup.payment_method
        row.code = row.failure = None
        _become(session, row, SetupStatus.SAVED, AuditAction.PAYMENT_METHOD_SAVE, now)
    elif setup.failure_code is not None and setup.failure_code != row.code:
        row.code, row.failure = setup.failure_code, declines.sentence(setup.failure_code)
        _become(session, row, SetupStatus.FAILED, AuditAction.PAYMENT_METHOD_REFUSE, now)
    return True


def _become(
    session: Session, row: PaymentMethodSetup, status: SetupStatus, action: AuditAction, now: datetime
) -> None:
    audit.become(row, status, now=now)
    row.changed_at = now
    _note(session, SYSTEM, action, row, now)
    session.flush()


def _note(
    session: Session, actor: Actor, action: AuditAction, row: PaymentMethodSetup, now: datetime
) -> None:
    """The audit entry does not say which card or account it is."""
    audit.record(
        session,
        actor,
        action.by(actor.kind),
        object_kind="payment_method_setup",
        object_id=row.id,
        now=now,
        after={"party": row.party_id, "code": row.code},
    )
