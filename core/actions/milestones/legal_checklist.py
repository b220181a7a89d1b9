"""The legal checklist of each marketplace: compliance signs, and only then may anything be paid.

(payment-escrow-rules, Compliance / Legal Review Checklist.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, notifications
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.policy import Platform
from core.records import LegalSignature, Party
from core.rules import file_names
from core.rules import legal_checklist as rules
from core.rules.legal_checklist import Item, Signed
from core.rules.permissions import SYSTEM, Actor, Permission, Role, require
from core.rules.reasons import given


class AlreadyWithdrawn(DeskError):
    """This signature was already withdrawn."""


def sign(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    platform: Platform,
    item: Item,
    note: str,
    document: bytes,
    document_name: str,
    jurisdiction: str = "",
    valid_until: date | None = None,
    review_on: date | None = None,
) -> LegalSignature:
    """Compliance vouches for one item, by name and time, in a country or in every jurisdiction. The note says on what
    ground, the document is what it rests on. It takes the place of the one before, which stays as it is.

    Raises `NoCountry`, `DocumentUnfit`, `DatesUnfit`.
    """
    require(actor, Permission.SIGN_LEGAL_CHECK, now)
    assert actor.id is not None  # only staff may sign
    note = given(note)
    platform, item = Platform(platform), Item(item)
    rules.check(document=document, valid_until=valid_until, review_on=review_on, today=now.date())
    row = LegalSignature(
        platform=platform,
        jurisdiction=rules.jurisdiction_of(jurisdiction),
        item=item,
        note=note,
        document=document,
        document_name=file_names.clean(document_name),
        signed_by=actor.id,
        signed_at=now,
        valid_until=valid_until,
        review_on=review_on,
    )
    session.add(row)
    session.flush()
    facts = {"document": row.document_sha256, "valid_until": valid_until, "review_on": review_on}
    _record(session, actor, AuditAction.CHECKLIST_SIGN, row, now=now, reason=note, after=facts)
    return row


def withdraw(
    session: Session, actor: Actor, *, now: datetime, signature_id: int, reason: str
) -> LegalSignature:
    """It counts no longer, and payments stop where none other does. Raises `NotFound`, `AlreadyWithdrawn`."""
    require(actor, Permission.SIGN_LEGAL_CHECK, now)
    assert actor.id is not None  # only staff may sign
    reason = given(reason)
    row = _locked(session, signature_id)
    if row.withdrawn_at is not None:
        raise AlreadyWithdrawn()
    row.withdrawn_by, row.withdrawn_at, row.withdrawal_reason = actor.id, now, reason
    session.flush()
    _record(session, actor, AuditAction.CHECKLIST_WITHDRAW, row, now=now, reason=reason)
    return row


def document(session: Session, actor: Actor, *, now: datetime, signature_id: int) -> tuple[str, bytes]:
    """Its name and bytes, as they were signed; that it was taken is recorded. Raises `NotFound`."""
    require(actor, Permission.READ_AUDIT, now)
    row = session.get(LegalSignature, signature_id)
    if row is None or row.document is None or row.document_name is None:
        raise NotFound(kind="document of a signature", id=signature_id)
    facts = {"sha256": row.document_sha256}
    action = AuditAction.CHECKLIST_DOWNLOAD.by("staff")
    audit.record(
        session, actor, action, object_kind="policy", object_id=row.platform.value, now=now,
        after={"signature": row.id, **facts},
    )  # fmt: skip
    return row.document_name, row.document


def lock(session: Session, signature_id: int) -> None:
    """Of two who would remind, one does."""
    _locked(session, signature_id)


def remind(session: Session, signature_id: int, *, now: datetime) -> bool:
    """Write to everybody in compliance that a signature is to be reviewed."""
    row = _locked(session, signature_id)
    row.reminded_at = now
    session.flush()
    facts = {"valid_until": row.valid_until}
    _record(session, SYSTEM, AuditAction.CHECKLIST_REMIND, row, now=now, reason=None, after=facts)
    notifications.tell_staff(
        session,
        "legal_review_due",
        staff_ids=notifications.staff_of(session, Role.COMPLIANCE),
        about=("legal_signature", row.id),
        key=f"legal-review-{row.id}",
        now=now,
        item=row.item.label,
        jurisdiction="every jurisdiction" if row.jurisdiction == rules.EVERYWHERE else row.jurisdiction,
        valid_until=f"{row.valid_until:%-d %B %Y}" if row.valid_until else "no day is set",
    )
    return True


def require_signed(session: Session, platform: str, party_ids: Iterable[int], *, now: datetime) -> None:
    """Raises `PaymentsSwitchedOff`, which names every item that does not count where these parties are."""
    countries = session.scalars(select(Party.country).where(Party.id.in_(set(party_ids))))
    rules.require_signed(signatures(session, platform), today=now.date(), jurisdictions=countries)


def signatures(session: Session, platform: str) -> list[Signed]:
    """Every one of a marketplace."""
    rows = session.execute(
        select(
            LegalSignature.id,
            LegalSignature.item,
            LegalSignature.jurisdiction,
            LegalSignature.valid_until,
            LegalSignature.withdrawn_at.is_not(None),
        ).where(LegalSignature.platform == platform)
    )
    return [Signed(*row) for row in rows]


def _locked(session: Session, signature_id: int) -> LegalSignature:
    row = session.get(LegalSignature, signature_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(kind="signature", id=signature_id)
    return row


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    row: LegalSignature,
    *,
    now: datetime,
    reason: str | None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        action.by("system" if actor is SYSTEM else "compliance"),
        object_kind="policy",
        object_id=row.platform.value,
        now=now,
        reason=reason,
        after={"signature": row.id, "item": row.item, "jurisdiction": row.jurisdiction, **(after or {})},
    )
