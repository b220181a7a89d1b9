"""Our bank's lines and the ledger's postings, matched by a person; a line that nothing corresponds to goes to suspense.

Lines and postings are matched whole. Where the sums differ, the difference lies in suspense until two people have said
what it was, so that nothing disappears between them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.reconciliation import breaks, suspense, suspense_items
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.errors import DeskError, NotFound
from core.ledger import accounts, journal_store, postings
from core.money import Money
from core.queries import periods
from core.records import BankLine, BankMatch, BankMatchLine, BankMatchPosting, SuspenseItem
from core.rules.bank_matching import (
    ONE_AT_A_TIME,
    DifferenceExplained,
    MatchedAlready,
    MatchIsFinal,
    MatchRule,
    NotByAPerson,
    NothingToMatch,
    SumsDiffer,
    UndoneBefore,
)
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given
from core.rules.suspense import SettledAs, SuspenseStatus

UNKNOWN_LINE = "A line of our bank's that nothing corresponds to."
ON_BANK = text(
    """
    select id, amounts[array_position(account_ids, cast(:bank as bigint))] as amount
    from journals where id = any(:journals) order by id
    """
)


def by_hand(
    session: Session, actor: Actor, *, now: datetime, line_ids: Collection[int], journal_ids: Collection[int],
    reason: str, difference: bool = False,
) -> BankMatch:  # fmt: skip
    """One or several lines are these postings. `difference`: what the sums differ by is booked to suspense.

    Raises `NothingToMatch`, `MatchedAlready`, `SumsDiffer`.
    """
    require(actor, Permission.WORK_BREAKS)
    reason = given(reason)
    lines = _lines(session, line_ids)
    currency = lines[0].currency
    booked = _postings(session, journal_ids, currency)
    total, there = sum(each.amount_minor for each in lines), sum(booked.values())
    apart = Money(total - there, currency)
    if not apart.is_zero and not difference:
        raise SumsDiffer(lines=Money(total, currency), postings=Money(there, currency), difference=apart)
    if not apart.is_zero:
        item = _to_suspense(
            session,
            lines[0],
            apart,
            why="The bank's lines differ by this from what they were matched with.",
            now=now,
        )
        booked[item.journal_id or 0] = apart.minor
    row = put(
        session, lines[0].account_id, currency, booked, MatchRule.HAND, lines=lines, made_by=actor.id,
        name=breaks.line_name(lines[0].id), now=now,
    )  # fmt: skip
    names = [breaks.line_name(each.id) for each in lines] + [breaks.posting_name(each) for each in booked]
    breaks.matched(session, actor, names, currency, reason=reason, now=now)
    audit.record(
        session,
        actor,
        AuditAction.BREAK_MATCH.by("finance"),
        object_kind="bank_match",
        object_id=row.id,
        now=now,
        reason=reason,
        after={
            "lines": sorted(each.id for each in lines),
            "journals": sorted(booked),
            "difference": apart.as_dict(),
        },
    )
    return row


def explain(
    session: Session, actor: Actor, *, now: datetime, line_ids: Collection[int], settled_as: SettledAs, reason: str,
    target_id: int | None = None,
) -> list[SuspenseItem]:  # fmt: skip
    """What lines of one bank were that nothing corresponds to: they are booked to suspense, and their explanation waits
    for another. Raises `MatchedAlready`, `NothingToMatch` and what `suspense.propose` does."""
    require(actor, Permission.SETTLE_SUSPENSE)
    reason = given(reason)
    items = []
    for line in _lines(session, line_ids):
        whole, name = Money(line.amount_minor, line.currency), breaks.line_name(line.id)
        item = _to_suspense(session, line, whole, why=UNKNOWN_LINE, now=now)
        booked = {item.journal_id or 0: line.amount_minor}
        put(
            session, line.account_id, line.currency, booked, MatchRule.BOOKED, lines=[line], name=name, now=now
        )  # fmt: skip
        items.append(item.id)
    return suspense.propose(
        session, actor, now=now, item_ids=items, settled_as=settled_as, reason=reason, target_id=target_id
    )


def undo(session: Session, actor: Actor, *, now: datetime, match_id: int, reason: str) -> BankMatch:
    """Take a match by hand apart: its lines and postings are open again, and what they differed by leaves suspense.

    Raises `NotFound`, `NotByAPerson`, `UndoneBefore`, `MatchIsFinal`, `DifferenceExplained`, `ProposalWaits`.
    """
    require(actor, Permission.WORK_BREAKS)
    reason = given(reason)
    one_at_a_time(session, ONE_AT_A_TIME)
    row = session.get(BankMatch, match_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(kind="match", id=match_id)
    if row.rule != MatchRule.HAND:
        raise NotByAPerson()
    if row.undone_at is not None:
        raise UndoneBefore()
    lines, journal_ids = _held(session, row)
    _require_open(session, lines, journal_ids)
    item = _difference(session, journal_ids)
    row.undone_at, row.undone_by, row.undone_reason = now, actor.id, reason
    session.flush()  # with it the database frees what it held together
    names = [breaks.line_name(each.id) for each in lines] + [
        breaks.posting_name(each) for each in journal_ids
    ]
    if item is not None:
        _reverse_difference(session, actor, item, row, reason=reason, now=now)
    breaks.unmatched(session, actor, names, lines[0].currency, reason=reason, now=now)
    after = {"lines": [each.id for each in lines], "journals": journal_ids, "suspense": item and item.id}
    audit.record(
        session, actor, AuditAction.BREAK_UNMATCH.by("finance"), object_kind="bank_match", object_id=row.id, now=now,
        reason=reason, after=after,
    )  # fmt: skip
    return row


def why_kept(session: Session, match_id: int) -> DeskError | None:
    """Why this match cannot be undone now, for pages; None where it can. Locks nothing."""
    lines, journal_ids = _held(session, session.get_one(BankMatch, match_id))
    try:
        _require_open(session, lines, journal_ids)
    except MatchIsFinal as final:
        return final
    settled = SuspenseItem.status == SuspenseStatus.SETTLED
    explained = select(SuspenseItem.id).where(SuspenseItem.journal_id.in_(journal_ids), settled)
    return DifferenceExplained() if session.scalars(explained).first() is not None else None


def _held(session: Session, row: BankMatch) -> tuple[Sequence[BankLine], list[int]]:
    """The lines and the journals that it holds together."""
    lines = (
        select(BankLine)
        .join(BankMatchLine, BankMatchLine.line_id == BankLine.id)
        .where(BankMatchLine.match_id == row.id)
    )
    postings = select(BankMatchPosting.journal_id).where(BankMatchPosting.match_id == row.id)
    return (
        session.scalars(lines.order_by(BankLine.id)).all(),
        list(session.scalars(postings.order_by(BankMatchPosting.journal_id))),
    )


def _require_open(session: Session, lines: Sequence[BankLine], journal_ids: Sequence[int]) -> None:
    """A period was closed with its matches as they are. Raises `MatchIsFinal`."""
    days = [each.booked_on for each in lines]
    days += [journal_store.one(session, each).posted_at.astimezone(UTC).date() for each in journal_ids]
    if not periods.is_open(session, min(days)):
        raise MatchIsFinal(period=f"{min(days):%-d %b %Y}")


def _difference(session: Session, journal_ids: Sequence[int]) -> SuspenseItem | None:
    """What the match differs by, in suspense and free of any explanation. Raises `DifferenceExplained`,
    `ProposalWaits`."""
    wanted = select(SuspenseItem).where(SuspenseItem.journal_id.in_(journal_ids))
    item = session.scalars(wanted.with_for_update()).one_or_none()
    if item is not None and item.status == SuspenseStatus.SETTLED:
        raise DifferenceExplained()
    if item is not None:
        suspense.require_free(session, [item])
    return item


def _reverse_difference(
    session: Session, actor: Actor, item: SuspenseItem, row: BankMatch, *, reason: str, now: datetime
) -> None:
    """Its booking is reversed, both postings are matched with each other, and the whole line is open again."""
    line, amount = session.get_one(BankLine, item.bank_line_id), Money(item.amount_minor, item.currency)
    back = postings.bank_line_unexplained(
        key=f"suspense.{item.id}.reversed",
        amount=-amount,
        cause={"suspense": item.id, "bank_line": line.id, "match": row.id},
    )
    number = journal_store.post(session, back, now=now, of_day=line.booked_on)
    both = {item.journal_id or 0: amount.minor, number: -amount.minor}
    put(session, row.account_id, item.currency, both, MatchRule.REVERSED, name=f"suspense:{item.id}", now=now)
    audit.become(item, SuspenseStatus.REVERSED, now=now, by=actor)
    session.flush()
    audit.record(
        session, actor, AuditAction.SUSPENSE_REVERSE.by("finance"), object_kind="suspense", object_id=item.id, now=now,
        reason=reason, after={"amount": amount.as_dict(), "match": row.id},
    )  # fmt: skip
    breaks.whole_line_again(session, actor, line, reason=reason, now=now)


def _to_suspense(session: Session, line: BankLine, amount: Money, *, why: str, now: datetime) -> SuspenseItem:
    before = session.scalar(select(func.count()).where(SuspenseItem.bank_line_id == line.id)) or 0
    key = f"bank_line.{line.id}.{before}" if before else f"bank_line.{line.id}"
    journal = postings.bank_line_unexplained(key=key, amount=amount, cause={"bank_line": line.id})
    number = journal_store.post(session, journal, now=now, of_day=line.booked_on)
    return suspense_items.of_bank(session, line, amount, journal_id=number, why=why, now=now)


def put(
    session: Session, account_id: int, currency: str, booked: Mapping[int, int], rule: MatchRule, *, name: str,
    now: datetime, lines: Sequence[BankLine] = (), made_by: int | None = None,
) -> BankMatch:  # fmt: skip
    """Write a match down: these lines, and what each of these journals booked on the bank's account."""
    row = BankMatch(account_id=account_id, rule=rule, name=name, made_by=made_by, made_at=now)
    session.add(row)
    session.flush()
    session.add_all(BankMatchLine(line_id=each.id, match_id=row.id) for each in lines)
    session.add_all(
        BankMatchPosting(journal_id=number, currency=currency, match_id=row.id, amount_minor=amount)
        for number, amount in booked.items()
    )
    session.flush()
    return row


def _lines(session: Session, numbers: Collection[int]) -> list[BankLine]:
    one_at_a_time(session, ONE_AT_A_TIME)
    wanted = select(BankLine).where(BankLine.id.in_(set(numbers)), BankLine.repeats_id.is_(None))
    found = list(session.scalars(wanted.order_by(BankLine.id)))
    if not found or len({each.account_id for each in found}) > 1:
        raise NothingToMatch()
    if len(found) != len(set(numbers)):
        raise NotFound(kind="bank line", id=min(set(numbers) - {each.id for each in found}))
    taken = session.scalars(
        select(BankMatchLine.line_id).where(BankMatchLine.line_id.in_(set(numbers)))
    ).first()
    if taken is not None:
        raise MatchedAlready(line=f"Line {taken}")
    return found


def on_bank(session: Session, journal_ids: Collection[int], currency: str) -> dict[int, int]:
    """What these journals booked on the bank's account; those that did not touch it are not among them."""
    values = {"bank": accounts.number(accounts.BANK, currency), "journals": sorted(set(journal_ids))}
    return {row.id: row.amount for row in session.execute(ON_BANK, values) if row.amount is not None}


def _postings(session: Session, numbers: Collection[int], currency: str) -> dict[int, int]:
    found = on_bank(session, numbers, currency)
    if not found or len(found) != len(set(numbers)):
        raise NothingToMatch()
    taken = select(BankMatchPosting.journal_id).where(
        BankMatchPosting.currency == currency, BankMatchPosting.journal_id.in_(found)
    )
    if (other := session.scalars(taken).first()) is not None:
        raise MatchedAlready(line=f"J-{other}")
    return found
