"""What only the ledger has is reversed by two people; a late line of the bank finds its posting all the same."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.periods import journal_reversals, manual_journals
from core.actions.periods.journal_reversals import NotReversible, ReversedBefore
from core.actions.reconciliation import bank_matches
from core.db import Database
from core.ledger.journal_store import DayClosed
from core.queries import bank_matches as matches
from core.queries import breaks as queries
from core.queries import platform_payouts
from core.records import BankAccount, Break
from core.rules.permissions import NotPermitted
from core.rules.proposals import MakerIsChecker, ProposalFallen
from tests import unrecorded
from tests.actions.test_bank_matching import lawful, open_breaks, run, stated, told
from tests.actions.test_statement_matching import own_payout
from tests.database import as_owner
from tests.sandbox_desk import Market

WHY = "The bank has looked for it and never got it."


def unseen(market: Market) -> tuple[str, queries.BreakRow]:
    """A payout that Stripe calls paid, and our bank has no line of."""
    payout = own_payout(market)
    told(market, (0, -10_000, "To Stripe"), (9, -1, "x"))
    market.control.move_payout(payout, "paid")
    run(market, days=1)
    run(market, days=7)
    (row,) = (each for each in open_breaks(market) if each.class_ == "LEDGER_ONLY")
    return payout, row


def propose(market: Market, row: queries.BreakRow, who: str = "fay", **more: Any) -> int:
    given = {"journal_id": row.journal_id, "posted_on": market.now.date(), "reason": WHY} | more
    return int(market.act(journal_reversals.propose_of, market.as_staff(who), **given).id)


def approve(market: Market, number: int, who: str = "cora") -> None:
    market.act(manual_journals.approve, market.as_staff(who), number=number, reason="Seen as well.")


def state(market: Market, row: queries.BreakRow) -> tuple[str, str | None]:
    found = market.read(lambda session: queries.one(session, row.id, now=market.now))
    return found.state, found.closed_as


def late(market: Market, amount: int, words: str) -> list[int]:
    """A second statement of the same account, with one line."""
    return market.database.run(
        lambda session: stated(session, [(8, amount, words)], number=2, bank=market.all(BankAccount)[0].id)
    )


def test_two_people_reverse_it_the_break_is_closed_and_no_run_sees_either_posting(market: Market) -> None:
    payout, row = unseen(market)
    with pytest.raises(NotPermitted):
        propose(market, row, "mia")
    number = propose(market, row)
    assert state(market, row) == ("PROPOSED", None)
    with pytest.raises(ReversedBefore):
        propose(market, row)
    with pytest.raises(MakerIsChecker):
        approve(market, number, "fay")
    assert market.books()["bank"] == -7_000
    approve(market, number)
    assert market.books() == {"bank": -10_000, "payout_in_transit": 3_000, "stripe_balance": 7_000}
    assert state(market, row) == ("CLOSED", "REVERSED")
    run(market)
    assert open_breaks(market) == []
    shown = market.read(lambda session: platform_payouts.one(session, payout))
    assert (shown.reversed, shown.match_id) == (True, None)
    assert "its arrival was reversed" in shown.where
    actions = [each.action for each in market.read(lambda session: queries.history(session, row))]
    assert {"finance:journal:propose", "staff:journal:post", "finance:break:close"} <= set(actions)
    lawful(market)


def test_rejected_or_withdrawn_it_is_open_again(market: Market) -> None:
    _, row = unseen(market)
    for who in ("cora", "fay"):
        number = propose(market, row)
        market.act(manual_journals.reject, market.as_staff(who), number=number, reason="Not yet.")
        assert state(market, row) == ("OPEN", None)
    lawful(market)


def test_what_the_bank_sends_back_later_goes_by_what_stands(market: Market) -> None:
    payout, row = unseen(market)
    approve(market, propose(market, row))
    market.control.move_payout(payout, "failed")
    run(market)
    assert market.books() == {"bank": -10_000, "stripe_balance": 10_000}
    lawful(market)


def test_a_line_that_comes_late_finds_it_after_the_reversal_was_reversed(market: Market) -> None:
    payout, row = unseen(market)
    number = propose(market, row)
    approve(market, number)
    (line,) = late(market, 3_000, payout)
    again = {"number": number, "posted_on": market.now.date(), "reason": "It came."}
    approve(market, market.act(journal_reversals.propose, market.as_staff("fay"), **again).id)
    run(market)
    assert market.books() == {"bank": -7_000, "stripe_balance": 7_000}
    held = market.read(lambda s: matches.of_break(s, line_id=line, journal_id=None))
    assert held is not None
    assert held.rule == "PROVIDER_ID"
    shown = market.read(lambda session: platform_payouts.one(session, payout))
    assert (shown.reversed, shown.match_id) == (False, held.id)
    lawful(market)


def test_a_proposal_falls_when_its_posting_is_found_at_the_bank(market: Market) -> None:
    _, row = unseen(market)
    number = propose(market, row)
    here = {
        "line_ids": late(market, 3_000, "Here it is"),
        "journal_ids": [row.journal_id],
        "reason": "Found.",
    }
    market.act(bank_matches.by_hand, market.as_staff("fay"), **here)
    with pytest.raises(ProposalFallen):
        approve(market, number)
    assert market.read(lambda session: manual_journals.stale(session, now=market.now)) == [number]


def test_what_stripes_statement_tells_of_is_not_reversed(market: Market) -> None:
    market.pay_in(10_000)
    journal = market.read(lambda s: s.scalar(text("select id from journals where kind = 'topped_up'")))
    with pytest.raises(NotReversible):
        market.act(
            journal_reversals.propose_of, market.as_staff("fay"), journal_id=journal, posted_on=market.now.date(),
            reason=WHY,
        )  # fmt: skip


def test_the_database_posts_no_reversal_that_is_not_its_journals_other_side(
    market: Market, owner: Database
) -> None:
    _, row = unseen(market)
    number = propose(market, row)
    with owner.transaction() as session:
        session.execute(text("alter table manual_journals disable trigger manual_journals_keep_words"))
        session.execute(
            text("update manual_journals set reverses_journal_id = 1 where id = :n"), {"n": number}
        )
    with pytest.raises(IntegrityError):
        approve(market, number)
    assert [each.status for each in market.all(Break) if each.id == row.id] == ["OPEN"]


CLOSED = """
insert into periods (kind, first_day, last_day, status, closed_via, closed_at, explanation, last_journal, summary)
select 'DAY', :day, :day, 'CLOSED', 'test', :now, '', max(id), '{}' from journals
"""


@pytest.mark.unrecorded
def test_it_is_refused_in_words_once_its_day_is_closed(market: Market) -> None:
    """The ledger posted it on the first open day, which is not what was proposed: a law refused it, without a word
    that helped."""
    _, row = unseen(market)
    number = propose(market, row)
    day = market.now.date()
    market.wait(hours=30)
    with as_owner(market.database) as session:
        unrecorded.admit(session)
        session.execute(text(CLOSED), {"day": day, "now": market.now})
    with pytest.raises(DayClosed):
        approve(market, number)
    assert state(market, row) == ("PROPOSED", None)
