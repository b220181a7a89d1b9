"""Manual journals: one person proposes lines for an open day with a reason, another approves, and they are posted so.

Nothing of a proposal is ever edited: it is withdrawn and proposed again; what is posted is reversed, and both say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones.milestone_context import open_milestone
from core.actions.reconciliation import breaks, reversed_postings
from core.actions.refunds import failed_returns
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.db import Record
from core.errors import DeskError, NotFound
from core.gateways import evidence_files
from core.gateways.evidence_store import EvidenceStore
from core.ledger import accounts, journal_store, postings
from core.ledger.journals import Journal, Posting
from core.money import Money
from core.queries import periods
from core.records import ManualJournal
from core.rules.periods import PeriodClosed
from core.rules.permissions import SYSTEM, Actor, Permission, require, require_one
from core.rules.proposals import ProposalKind, ProposalStatus, ended, fallen
from core.rules.reasons import given

OURS = 0  # whose files they are in the evidence store: the platform's own
LAST_MOMENT = timedelta(microseconds=1)
MATCHED = "What it reverses was matched with the bank's statement since."
FAILED_BEFORE = "The refund that it reverses is recorded as come back since."
EXPLAINED_BEFORE = "The break that it explains is closed since."
KEPT = ("payout", "refund")  # of the cause of what is reversed: the bank names it, or a refund follows


class DayToCome(DeskError):
    """A journal cannot be posted for a day to come."""


@dataclass(frozen=True)
class Attached:
    """A file that comes with the proposal."""

    name: str
    content: bytes


def propose(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    lines: Sequence[Posting],
    posted_on: date,
    memo: str,
    reason: str,
    attached: Attached | None = None,
    store: EvidenceStore | None = None,
) -> ManualJournal:
    """Write it down; nothing is posted. Raises what `preview` does, `PeriodClosed`, `DayToCome`, `EvidenceRefused`."""
    require(actor, Permission.PROPOSE_JOURNAL)
    reason, memo = given(reason), given(memo)
    preview(lines, memo=memo)
    return write_down(
        session,
        actor,
        lines,
        posted_on=posted_on,
        memo=memo,
        reason=reason,
        now=now,
        kept=_kept(attached, store),
    )


def preview(lines: Sequence[Posting], *, memo: str) -> Journal:
    """What would be posted. Raises `NotByHand`, `OneSideEach`, `UnbalancedJournal`, `AccountUnknown`."""
    return postings.manual_journal(key="preview", lines=lines, memo=memo, cause={})


def approve(session: Session, actor: Actor, *, now: datetime, number: int, reason: str = "") -> ManualJournal:
    """Post it as it was proposed, on its day.

    Raises what `proposals.require_checker` does, `ProposalEnded`, `ProposalFallen`, `DayClosed`, `Overdraft`.
    """
    require(actor, Permission.CONFIRM_JOURNAL, now)
    said = given(reason) if reason.strip() else None
    row = _open(session, number)
    proposals.require_checker(session, actor, waiting(session, row), now=now)
    # Some kinds the ledger would post on the first open day instead.
    if not periods.is_open(session, row.posted_on):
        raise journal_store.DayClosed(day=f"{row.posted_on:%-d %b %Y}")
    if why := _superseded(session, row):
        raise fallen(ProposalKind.MANUAL_JOURNAL, why)
    row.journal_id = journal_store.post(
        session,
        journal_of(session, row),
        now=now,
        happened_at=_moment(row, now),
        of_day=_of_break(session, row),
    )
    proposals.settle(row, ProposalStatus.POSTED, actor, now=now)
    row.note = said
    session.flush()
    _note_end(session, actor, AuditAction.JOURNAL_POST.by("staff"), row, reason=said or row.reason, now=now)
    if row.reverses_journal_id is not None:
        reversed_postings.pair(session, actor, row, reason=said or row.reason, now=now)
        failed_returns.never_left(session, actor, row, reason=said or row.reason, now=now)
    if row.break_id is not None:
        breaks.booked(
            session, actor, row.break_id, journal_id=row.journal_id, reason=said or row.reason, now=now
        )
    return row


def reject(session: Session, actor: Actor, *, now: datetime, number: int, reason: str) -> None:
    """It is not posted: whoever proposed it withdraws it, anybody else rejects it. Raises `ProposalEnded`."""
    require_one(actor, Permission.PROPOSE_JOURNAL, Permission.CONFIRM_JOURNAL)
    reason = given(reason)
    row = _open(session, number)
    proposals.settle(row, proposals.outcome(actor, row.proposed_by), actor, now=now)
    row.note = reason
    session.flush()
    withdrawn = row.status is ProposalStatus.WITHDRAWN
    action = AuditAction.JOURNAL_WITHDRAW if withdrawn else AuditAction.JOURNAL_REJECT
    _note_end(session, actor, action.by("staff"), row, reason=reason, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """Which can no longer be approved, whoever wants to. Nothing is locked or written."""
    wanted = select(ManualJournal).where(ManualJournal.status == ProposalStatus.PROPOSED)
    return [row.id for row in session.scalars(wanted) if _flaw(session, row, now)]


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be approved, its day closed for one, goes back to its maker with the reason."""
    row = _open(session, number)
    why = _flaw(session, row, now)
    if why is None:
        return False
    proposals.settle(row, ProposalStatus.RETURNED, SYSTEM, now=now)
    row.note = why
    session.flush()
    _note_end(session, SYSTEM, AuditAction.JOURNAL_RETURN.by("system"), row, reason=why, now=now)
    about = ("manual_journal", row.id)
    proposals.tell_returned(
        session, waiting(session, row), what=f"MJ-{row.id}", why=why, about=about, now=now
    )
    return True


def _flaw(session: Session, row: ManualJournal, now: datetime) -> str | None:
    if not periods.is_open(session, row.posted_on):
        return f"{row.posted_on:%-d %b %Y} was closed."
    if why := _superseded(session, row):
        return why
    return proposals.flaw(session, waiting(session, row), now=now)


def _superseded(session: Session, row: ManualJournal) -> str | None:
    """What became meanwhile of the journal that it reverses, or of the break that it explains."""
    if reversed_postings.matched_since(session, row):
        return MATCHED
    if row.reverses_journal_id is not None and failed_returns.failed(session, row.reverses_journal_id):
        return FAILED_BEFORE
    if row.break_id is not None and breaks.is_closed(session, row.break_id):
        return EXPLAINED_BEFORE
    return None


def waiting_of(session: Session, number: int) -> Waiting:
    """As it waits, for whoever reads of it."""
    return waiting(session, session.get_one(ManualJournal, number))


def waiting(session: Session, row: ManualJournal) -> Waiting:
    """The proposal as what waits for a second person."""
    subject = _subject(session, lines_of(row))
    return Waiting(ProposalKind.MANUAL_JOURNAL, row.proposed_by, row.proposed_at, subject)


def attachment(session: Session, actor: Actor, *, store: EvidenceStore, number: int) -> bytes:
    """The file that came with it. Raises `NotFound`, `EvidenceMissing`, `EvidenceAltered`."""
    require(actor, Permission.READ_LEDGER)
    row = session.get(ManualJournal, number)
    if row is None or row.attachment_sha256 is None:
        raise NotFound(kind="attachment", id=number)
    return store.get(OURS, row.attachment_sha256)


def lines_of(row: ManualJournal) -> list[Posting]:
    """The proposed postings; debit above zero, credit below."""
    return [
        Posting(code, Money(amount, row.currency))
        for code, amount in zip(row.account_codes, row.amounts, strict=True)
    ]


def _of_break(session: Session, row: ManualJournal) -> date | None:
    """The day of the line that it books."""
    return None if row.break_id is None else breaks.day(session, row.break_id)


def journal_of(session: Session, row: ManualJournal) -> Journal:
    """What it posts; a reversal names what it reverses, and keeps its cause."""
    lines, key, cause = lines_of(row), f"manual.{row.id}", {"manual_journal": row.id}
    if row.break_id is not None:
        named = breaks.named_by_payee(session, row.break_id)
        return postings.payee_line_booked(key=key, lines=lines, memo=row.memo, cause=cause | named)
    if row.reverses_journal_id is None:
        return postings.manual_journal(key=key, lines=lines, memo=row.memo, cause=cause)
    before = journal_store.one(session, row.reverses_journal_id).journal
    reverses = {"reverses": row.reverses_id, "reverses_journal": row.reverses_journal_id}
    kept = {name: before.cause[name] for name in KEPT if name in before.cause}
    if before.kind == "refund_returned":
        return failed_returns.reversal(before, key=key, cause=kept | cause | reverses)
    by_hand = before.kind in ("manual_journal", "manual_journal_reversed")
    reverse = postings.manual_journal_reversed if by_hand else postings.journal_reversed
    return reverse(key=key, lines=before.postings, memo=row.memo, cause=kept | cause | reverses)


def _moment(row: ManualJournal, now: datetime) -> datetime:
    """Of an earlier day its last moment, so that it stands after all that happened then."""
    last = datetime.combine(row.posted_on + timedelta(days=1), time(), UTC) - LAST_MOMENT
    return min(last, now)


def _subject(session: Session, lines: Sequence[Posting]) -> Subject:
    """The payees whose debts it touches, the parties of the milestone whose refund it is: nobody with a tie to one of
    them proposes or approves it."""
    known = [(accounts.account_type(line.account).per, accounts.object_id(line.account)) for line in lines]
    for per, number in known:
        if per == "milestone":
            return Subject.of(open_milestone(session, number or 0, lock=False))
    return Subject(frozenset(number for _, number in known if number))


def _kept(attached: Attached | None, store: EvidenceStore | None) -> tuple[str, str] | None:
    """Its name and hash, after the whole file was looked at and kept."""
    if attached is None or store is None:
        return None
    seen = evidence_files.inspect(attached.name, attached.content)
    return seen.file_name, store.put(OURS, attached.content)


def write_down(
    session: Session,
    actor: Actor,
    lines: Sequence[Posting],
    *,
    posted_on: date,
    memo: str,
    reason: str,
    now: datetime,
    reverses_id: int | None = None,
    reverses_journal_id: int | None = None,
    break_id: int | None = None,
    kept: tuple[str, str] | None = None,
) -> ManualJournal:
    """The proposal, as it waits. Raises `DayToCome`, `PeriodClosed`, what `proposals.require_maker` does."""
    if posted_on > now.astimezone(UTC).date():
        raise DayToCome()
    if not periods.is_open(session, posted_on):
        raise PeriodClosed(period=f"{posted_on:%-d %b %Y}")
    reason, (name, sha256) = given(reason), kept or (None, None)
    row = ManualJournal(
        currency=lines[0].amount.currency,
        posted_on=posted_on,
        memo=memo,
        reason=reason,
        account_codes=[line.account for line in lines],
        amounts=[line.amount.minor for line in lines],
        reverses_id=reverses_id,
        reverses_journal_id=reverses_journal_id,
        break_id=break_id,
        attachment_name=name,
        attachment_sha256=sha256,
        proposed_by=proposals.require_maker(session, actor, _subject(session, lines)),
        proposed_at=now,
    )
    session.add(row)
    session.flush()
    told: list[Record | Words] = [row]
    if reverses_journal_id is not None:
        told.append(Words("manual_journal_reversals", row))
    if break_id is not None:
        told.append(Words("manual_journal_breaks", row))
    _note(
        session, actor, AuditAction.JOURNAL_PROPOSE.by("finance"), row, reason=reason, now=now, contents=told
    )
    return row


def _row(session: Session, number: int) -> ManualJournal:
    row = session.get(ManualJournal, number, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(kind="manual journal", id=number)
    return row


def _open(session: Session, number: int) -> ManualJournal:
    row = _row(session, number)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.MANUAL_JOURNAL, row.status)
    return row


def _note_end(
    session: Session, actor: Actor, action: StoredAction, row: ManualJournal, *, reason: str, now: datetime
) -> None:
    ends = [Words("manual_journal_ends", row)]
    _note(session, actor, action, row, reason=reason, now=now, contents=ends)


def _note(
    session: Session,
    actor: Actor,
    action: StoredAction,
    row: ManualJournal,
    *,
    reason: str,
    now: datetime,
    contents: Sequence[Record | Words],
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="manual_journal",
        object_id=row.id,
        now=now,
        reason=reason,
        after={
            "on": row.posted_on.isoformat(),
            "currency": row.currency,
            "lines": dict(zip(row.account_codes, row.amounts, strict=True)),
            "reverses": row.reverses_journal_id,
            "break": row.break_id,
            "attachment": row.attachment_sha256,
            "journal": row.journal_id,
        },
        contents=contents,
    )
