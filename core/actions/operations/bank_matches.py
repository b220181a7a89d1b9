"""Our bank's lines and the ledger's postings, matched by a person; a line that nothing corresponds to goes to suspense.

Lines and postings are matched whole. Where the sums differ, the difference lies in suspense until two people have said
what it was, so that nothing disappears between them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.operations import breaks, suspense
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.errors import NotFound
from core.ledger import journal_store, postings
from core.money import Money
from core.records import BankLine, BankMatch, BankMatchLine, BankMatchPosting, SuspenseItem
from core.rules.bank_matching import ONE_AT_A_TIME, MatchedAlready, MatchRule, NothingToMatch, SumsDiffer
from core.rules.permissions import SYSTEM, Actor, Permission, require
from core.rules.reasons import given
from core.rules.suspense import SettledAs

ON_BANK = text(
    """
    select j.id, j.amounts[array_position(j.account_ids, (138 << 10 | c.number)::bigint)] as amount
    from journals j cross join currencies c where c.code = :currency and j.id = any(:journals) order by j.id
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
    row = _match(session, lines, booked, MatchRule.HAND, made_by=actor.id, now=now)
    names = [breaks.line_name(each.id) for each in lines] + [f"posting:{each}" for each in booked]
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
    session: Session, actor: Actor, *, now: datetime, line_id: int, settled_as: SettledAs, reason: str,
    target_id: int | None = None,
) -> list[SuspenseItem]:  # fmt: skip
    """What a line of the bank was that nothing corresponds to: it is booked to suspense, and the explanation waits for
    another. Raises `MatchedAlready` and what `suspense.propose` does."""
    require(actor, Permission.SETTLE_SUSPENSE)
    reason = given(reason)
    (line,) = _lines(session, [line_id])
    item = _to_suspense(
        session, line, Money(line.amount_minor, line.currency), why="A line of our bank's that nothing corresponds to.",
        now=now,
    )  # fmt: skip
    booked = {item.journal_id or 0: line.amount_minor}
    _match(session, [line], booked, MatchRule.BOOKED, made_by=None, now=now)
    return suspense.propose(
        session, actor, now=now, item_ids=[item.id], settled_as=settled_as, reason=reason, target_id=target_id
    )


def _to_suspense(session: Session, line: BankLine, amount: Money, *, why: str, now: datetime) -> SuspenseItem:
    journal = postings.bank_line_unexplained(
        key=f"bank_line.{line.id}", amount=amount, cause={"bank_line": line.id}
    )
    item = SuspenseItem(
        bank_line_id=line.id,
        journal_id=journal_store.post(session, journal, now=now),
        source=line.reference,
        currency=amount.currency,
        amount_minor=amount.minor,
        why=why,
        found_at=now,
    )
    session.add(item)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.SUSPENSE_FIND.by("system"),
        object_kind="suspense",
        object_id=item.id,
        now=now,
        reason=why,
        after={"amount": amount.minor, "currency": amount.currency, "bank_line": line.id},
    )
    breaks.line_in_suspense(session, item, now=now)
    return item


def _match(
    session: Session, lines: Sequence[BankLine], booked: dict[int, int], rule: MatchRule, *, made_by: int | None,
    now: datetime,
) -> BankMatch:  # fmt: skip
    first = lines[0]
    row = BankMatch(
        account_id=first.account_id, rule=rule, name=breaks.line_name(first.id), made_by=made_by, made_at=now
    )
    session.add(row)
    session.flush()
    session.add_all(BankMatchLine(line_id=each.id, match_id=row.id) for each in lines)
    session.add_all(
        BankMatchPosting(journal_id=number, currency=first.currency, match_id=row.id, amount_minor=amount)
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


def _postings(session: Session, numbers: Collection[int], currency: str) -> dict[int, int]:
    values = {"currency": currency, "journals": sorted(set(numbers))}
    found = {row.id: row.amount for row in session.execute(ON_BANK, values) if row.amount is not None}
    if not found or len(found) != len(set(numbers)):
        raise NothingToMatch()
    taken = select(BankMatchPosting.journal_id).where(
        BankMatchPosting.currency == currency, BankMatchPosting.journal_id.in_(found)
    )
    if (other := session.scalars(taken).first()) is not None:
        raise MatchedAlready(line=f"J-{other}")
    return found
