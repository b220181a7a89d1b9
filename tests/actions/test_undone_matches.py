"""A match by hand is taken apart with a reason, while its period is open; what it differed by leaves suspense."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.reconciliation import bank_matches, suspense
from core.db import Database
from core.money import Money
from core.queries import bank_matches as queries
from core.records import BankMatch, Break, SuspenseItem
from core.rules.bank_matching import DifferenceExplained, MatchIsFinal, NotByAPerson, UndoneBefore
from core.rules.permissions import NotPermitted
from core.rules.proposals import ProposalWaits
from core.rules.suspense import SettledAs
from tests.actions.test_bank_matching import lawful, open_breaks, run, told
from tests.sandbox_desk import Market

WHY = "It was another payment."


def by_hand(market: Market, amount: int = -9_985) -> tuple[int, int, int]:
    """A top-up of 100.00 and a line matched by a person; the numbers of the match, its line and its journal."""
    market.pay_in(10_000)
    (line,) = told(market, (0, amount, "To Stripe"))
    run(market)
    journal = next(each.journal_id for each in open_breaks(market) if each.ours)
    assert journal is not None
    return match(market, line, journal), line, journal


def match(market: Market, line: int, journal: int) -> int:
    facts: dict[str, Any] = {
        "line_ids": [line],
        "journal_ids": [journal],
        "reason": "The same.",
        "difference": True,
    }
    return int(market.act(bank_matches.by_hand, market.as_staff("fay"), **facts).id)


def undo(market: Market, number: int, who: str = "fay") -> None:
    market.act(bank_matches.undo, market.as_staff(who), match_id=number, reason=WHY)


def test_its_breaks_are_open_again_with_the_reason_and_the_difference_is_reversed(market: Market) -> None:
    number, line, journal = by_hand(market)
    with pytest.raises(NotPermitted):
        undo(market, number, "mia")
    undo(market, number)
    rows = {each.object: each for each in market.all(Break)}
    assert {each.status for each in rows.values()} == {"OPEN"}
    assert (rows[f"line:{line}"].kind, rows[f"line:{line}"].theirs) == ("NOT_IN_LEDGER", -9_985)
    assert [each.status for each in market.all(SuspenseItem)] == ["REVERSED"]
    assert market.books() == {"bank": -10_000, "stripe_balance": 10_000}
    kept = market.get(BankMatch, number)
    assert (kept.held_line_ids, kept.undone_reason) == ([line], WHY)
    assert journal in (kept.held_journal_ids or [])
    said = text("select reason from audit_entries where action = 'finance:break:unmatch'")
    assert market.read(lambda session: list(session.scalars(said))) == [WHY]
    with pytest.raises(UndoneBefore):
        undo(market, number)
    run(market)
    assert {each.object for each in open_breaks(market)} == {f"line:{line}", f"posting:{journal}"}
    lawful(market)


def test_afterwards_it_can_be_matched_again_also_with_a_difference(market: Market) -> None:
    number, line, journal = by_hand(market)
    for _ in range(2):
        undo(market, number)
        number = match(market, line, journal)
    assert [each.status for each in market.all(SuspenseItem)] == ["REVERSED", "REVERSED", "OPEN"]
    (row,) = open_breaks(market)
    assert (row.kind, row.theirs) == ("IN_SUSPENSE", Money(15, "USD"))
    found = market.read(lambda s: queries.of_break(s, line_id=line, journal_id=None))
    assert found is not None
    assert found.id == number
    lawful(market)


def test_a_difference_that_is_being_explained_or_was_explained_stays(market: Market) -> None:
    number, *_ = by_hand(market)
    (item,) = market.all(SuspenseItem)
    facts = {"item_ids": [item.id], "reason": "A fee given back."}
    market.act(suspense.propose, market.as_staff("fay"), **facts, settled_as=SettledAs.OTHER_INCOME)
    with pytest.raises(ProposalWaits):
        undo(market, number)
    market.act(suspense.approve, market.as_staff("ada"), **facts)
    with pytest.raises(DifferenceExplained):
        undo(market, number)


def test_a_match_without_a_difference_leaves_nothing_to_reverse(market: Market) -> None:
    market.pay_in(10_000)
    lines = told(market, (-1, -6_000, "To Stripe"), (0, -4_000, "To Stripe"))
    run(market)
    (journal,) = [each.journal_id for each in open_breaks(market) if each.ours]
    facts = {"line_ids": lines, "journal_ids": [journal], "reason": "In two parts."}
    number = market.act(bank_matches.by_hand, market.as_staff("fay"), **facts).id
    assert open_breaks(market) == []
    undo(market, number)
    assert len(open_breaks(market)) == 3
    assert market.all(SuspenseItem) == []
    lawful(market)


def test_what_a_rule_matched_is_not_undone_by_hand(market: Market) -> None:
    market.pay_in(10_000)
    told(market, (0, -10_000, "To Stripe"))
    run(market)
    (row,) = market.all(BankMatch)
    with pytest.raises(NotByAPerson):
        undo(market, row.id)


def test_in_a_closed_period_it_stays_and_the_database_says_so_too(market: Market, owner: Database) -> None:
    number, *_ = by_hand(market)
    with owner.transaction() as session:
        session.execute(
            text("update ledger_lock set open_from = :at"), {"at": market.now + timedelta(days=1)}
        )
    with pytest.raises(MatchIsFinal, match="keeps its matches"):
        undo(market, number)
    said = text("update bank_matches set undone_at = now(), undone_by = 1, undone_reason = 'x' where id = :n")
    with pytest.raises(DBAPIError, match="closed period"), owner.transaction() as session:
        session.execute(said, {"n": number})


def test_no_match_loses_what_it_holds_but_by_being_undone(market: Market, owner: Database) -> None:
    number, *_ = by_hand(market)
    with pytest.raises(DBAPIError, match="same on both sides"), owner.transaction() as session:
        session.execute(text("delete from bank_match_lines where match_id = :n"), {"n": number})
