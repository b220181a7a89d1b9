"""A letter that could not be delivered is sent again by a person, to the same address or to a corrected one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError, NotFound
from core.gateways.mail import MailRefused, wire_form
from core.records import Installation, Notification, Party
from core.rules.notifications import LetterStatus
from core.rules.outside_words import LONGEST_ADDRESS, has_mailbox
from core.rules.parties import require_not_erased
from core.rules.permissions import Actor, Permission, require
from core.rules.visible_text import tidy


class LetterNotFailed(DeskError):
    """E-mail L-{letter} is {status}; only an e-mail that could not be delivered can be sent again."""


class AddressUnusable(DeskError):
    """“{address}” is not an address that e-mail can be sent to. Write one such as name@example.com."""


class AddressOfStaff(DeskError):
    """This e-mail goes to a colleague. Ask an administrator to correct the address."""


def send_again(
    session: Session, actor: Actor, *, now: datetime, notification_id: int, address: str | None = None
) -> int:
    """Queue a failed letter again, as a mail of its own; returns how many letters go.

    With `address` the party's address is corrected first, and everything that failed to reach them goes to it. The
    log says that it was corrected, and not to what: addresses are personal data. Raises `NotFound`,
    `LetterNotFailed`, `AddressUnusable`, `PartyErased`.
    """
    require(actor, Permission.SEND_LETTER)
    letter = session.get(Notification, notification_id, with_for_update=True)
    if letter is None:
        raise NotFound(kind="letter", id=notification_id)
    if letter.status != LetterStatus.FAILED:
        raise LetterNotFailed(letter=letter.id, status=letter.status.lower())
    if letter.party_id is not None:
        party = session.get_one(Party, letter.party_id)
        require_not_erased(party.external_id, party.erased_at)
    letters = [letter]
    if address is not None and address.strip():
        letters = _correct(session, actor, letter, address.strip(), now=now)
    desk = session.scalar(select(Installation.name)) or "desk"
    for each in letters:
        # A new number: a mail program that met the old one elsewhere does not hide this one.
        each.mail = f"notification-{each.id}-{now:%Y%m%d%H%M%S}.{desk}"
        audit.become(each, LetterStatus.QUEUED, now=now, by=actor)
        each.tries, each.error, each.next_try_at = 0, None, now
        _note(session, actor, each, AuditAction.LETTER_SEND_AGAIN.by("staff"), now=now)
    session.flush()
    return len(letters)


def _correct(
    session: Session, actor: Actor, letter: Notification, address: str, *, now: datetime
) -> list[Notification]:
    require(actor, Permission.CORRECT_ADDRESS)
    if letter.party_id is None:
        raise AddressOfStaff()
    party = session.get_one(Party, letter.party_id, with_for_update={"key_share": True})
    party.email, party.changed_at = checked(address), now
    _note(session, actor, letter, AuditAction.PARTY_CORRECT_ADDRESS.by("staff"), now=now)
    failed = select(Notification).where(
        Notification.party_id == party.id, Notification.status == LetterStatus.FAILED
    )
    return list(session.scalars(failed.order_by(Notification.id).with_for_update()))


def checked(address: str) -> str:
    """The address as it is kept, if a letter can go there; in any script. Raises `AddressUnusable`."""
    address = tidy(address)
    try:
        sent_to = wire_form(address)
    except MailRefused:
        raise AddressUnusable(address=address) from None
    if max(len(address), len(sent_to)) > LONGEST_ADDRESS or not has_mailbox(sent_to):
        raise AddressUnusable(address=address)
    return address


def _note(
    session: Session, actor: Actor, letter: Notification, action: StoredAction, *, now: datetime
) -> None:
    corrected = action.endswith("correct_address")
    audit.record(
        session,
        actor,
        action,
        object_kind="party" if corrected else "letter",
        object_id=letter.party_id if corrected and letter.party_id else letter.id,
        now=now,
        after={"letter": letter.id, "template": letter.template},
        project_id=letter.project_id,
        milestone_id=letter.milestone_id,
    )
