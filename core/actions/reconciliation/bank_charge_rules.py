"""Rules for charges that our bank takes again and again: they recognise a line and say what it was, and book nothing.

What a rule proposes is submitted by one person, as their own proposal, and approved by another, as every explanation.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from core import audit
from core.actions.reconciliation import bank_matches
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.money import Money
from core.queries import bank_charge_rules
from core.queries.bank_charge_rules import RecognisedLine
from core.records import BankAccount, BankChargeRule, SuspenseItem
from core.rules.permissions import Actor, Permission, require, staff_number
from core.rules.suspense import SettledAs

SHORTEST, LONGEST = 3, 80


class RuleTooWide(DeskError):
    """A rule needs {shortest} to {longest} characters of the line's text, so that it recognises one kind of line."""


class LimitUnfit(DeskError):
    """A rule needs a limit above zero, in {currency}: what the bank takes beyond it is looked at by a person."""


class NotRecognised(DeskError):
    """No rule in force recognises this line any more, or it is explained already. Load the page again."""


class RuleEnded(DeskError):
    """This rule has been ended already."""


def save(
    session: Session, actor: Actor, *, now: datetime, account_id: int, words: str, most: Money
) -> BankChargeRule:
    """From now on it recognises lines of this account. Raises `NotFound`, `RuleTooWide`, `LimitUnfit`."""
    require(actor, Permission.SETTLE_SUSPENSE)
    account, words = session.get(BankAccount, account_id), " ".join(words.split())
    if account is None:
        raise NotFound(kind="bank account", id=account_id)
    if not SHORTEST <= len(words) <= LONGEST or "\0" in words:
        raise RuleTooWide(shortest=SHORTEST, longest=LONGEST)
    if most.currency != account.currency or not most.is_positive:
        raise LimitUnfit(currency=account.currency)
    made_by = staff_number(actor, action="save a rule")
    row = BankChargeRule(
        account_id=account.id, words=words, most_minor=most.minor, made_by=made_by, made_at=now
    )
    session.add(row)
    session.flush()
    _note(session, actor, AuditAction.BANK_CHARGE_RULE_SAVE, row, most, now=now)
    return row


def end(session: Session, actor: Actor, *, now: datetime, rule_id: int) -> BankChargeRule:
    """It recognises nothing any more; what was submitted by it stays. Raises `NotFound`, `RuleEnded`."""
    require(actor, Permission.SETTLE_SUSPENSE)
    row = session.get(BankChargeRule, rule_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(kind="rule", id=rule_id)
    if row.ended_at is not None:
        raise RuleEnded()
    row.ended_by, row.ended_at = staff_number(actor, action="end a rule"), now
    session.flush()
    most = Money(row.most_minor, session.get_one(BankAccount, row.account_id).currency)
    _note(session, actor, AuditAction.BANK_CHARGE_RULE_END, row, most, now=now)
    return row


def submit(session: Session, actor: Actor, *, now: datetime, line_ids: Collection[int]) -> list[SuspenseItem]:
    """Propose what the rules say of these lines, bank by bank. Raises `NotRecognised` and what `bank_matches.explain`
    does."""
    require(actor, Permission.SETTLE_SUSPENSE)
    found = [each for each in bank_charge_rules.recognised(session) if each.line_id in set(line_ids)]
    if not found or len(found) != len(set(line_ids)):
        raise NotRecognised()
    items: list[SuspenseItem] = []
    for _, lines in groupby(sorted(found, key=_bank), key=_bank):
        of_bank = list(lines)
        items += bank_matches.explain(
            session,
            actor,
            now=now,
            line_ids=[each.line_id for each in of_bank],
            settled_as=SettledAs.BANK_CHARGE,
            reason=" ".join(dict.fromkeys(each.reason for each in of_bank)),
        )
    return items


def _bank(line: RecognisedLine) -> int:
    return line.account_id


def _note(
    session: Session, actor: Actor, action: AuditAction, row: BankChargeRule, most: Money, *, now: datetime
) -> None:
    audit.record(
        session,
        actor,
        action.by("finance"),
        object_kind="bank_charge_rule",
        object_id=row.id,
        now=now,
        after={"account": row.account_id, "words": row.words, "most": most.as_dict()},
    )
