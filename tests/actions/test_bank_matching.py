"""Our bank's lines against the ledger's postings: what is certain is matched, the same way every time, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.actions.reconciliation import bank_matches, breaks, suspense
from core.db import Database
from core.errors import NotFound
from core.ledger import journal_store, postings
from core.money import Money
from core.processes import bank_matching, reconciliation
from core.queries import breaks as queries
from core.queries import invariants, periods
from core.records import Break, ReconciliationRun, SuspenseItem
from core.rules.bank_matching import MatchedAlready, NotAtTheBank, NothingToMatch, SumsDiffer
from core.rules.periods import PeriodKind, span
from core.rules.permissions import SYSTEM
from core.rules.suspense import SettledAs
from tests import builders
from tests.db_snapshot import nothing_changes
from tests.migrations.test_bank_statement_laws import account
from tests.sandbox_desk import Market

DAY = builders.NOW.date()
Told = tuple[int, int, str]  # days after the first, minor units, the bank's text


def stated(session: Session, lines: Sequence[Told], *, number: int = 1, bank: int | None = None) -> list[int]:
    """A statement of ten days of our dollar account; returns the numbers of its lines."""
    bank = bank or account(session, currency="USD")
    insert = text(
        "insert into bank_statement_lines (statement_id, account_id, currency, number, booked_on, amount_minor,"
        " reference, counterparty, text, odd, key) values (:statement, :account, 'USD', :number, :day, :amount, '',"
        " 'Bank', :words, '[]', :key) returning id"
    )
    numbers = [
        session.execute(
            insert,
            {"statement": number, "account": bank, "number": place, "day": DAY + timedelta(days=after),
             "amount": amount, "words": words, "key": f"{number}-{place}"},
        ).scalar_one()
        for place, (after, amount, words) in enumerate(lines, start=1)
    ]  # fmt: skip
    file = session.execute(
        text(
            "insert into bank_statement_files (sha256, name, format, size_bytes, imported_at)"
            " values (repeat(:digit, 64), 'a.sta', 'MT940', 1, now()) returning id"
        ),
        {"digit": f"{number:x}"[-1]},
    ).scalar_one()
    session.execute(
        text(
            "insert into bank_statements (id, file_id, account_id, number, reference, currency, first_on, last_on,"
            " opening_minor, closing_minor, balances, lines, lines_hash) values (:n, :file, :bank, 1, 'S', 'USD',"
            " :first, :last, 0, :closing, 'STATED', :lines, bank_lines_hash(:n))"
        ),
        {"n": number, "file": file, "bank": bank, "first": DAY - timedelta(days=1), "last": DAY + timedelta(days=10),
         "closing": sum(each[1] for each in lines), "lines": len(lines)},
    )  # fmt: skip
    return numbers


def booked(session: Session, key: str, amount: int, after: int = 0, *, payout: str = "") -> int:
    """A posting of this amount on `bank`."""
    money, at = Money(abs(amount), "USD"), builders.NOW + timedelta(days=after)
    cause = {"payout": payout} if payout else {}
    back = postings.top_up_returned if amount > 0 else postings.topped_up
    return journal_store.post(session, back(key=key, amount=money, cause=cause), now=at)


def matched(session: Session) -> list[tuple[str, list[int], list[int]]]:
    """Run the rules, and what they made."""
    now = builders.NOW + timedelta(days=10)
    bank_matching.match(session, run_id=None, until=now, now=now)
    session.execute(text("set constraints all immediate"))
    session.execute(text("set constraints all deferred"))
    rows = session.execute(
        text(
            "select m.rule, array(select line_id from bank_match_lines where match_id = m.id order by 1) as lines,"
            " array(select journal_id from bank_match_postings where match_id = m.id order by 1) as journals"
            " from bank_matches m order by m.id"
        )
    )
    return [(row.rule, list(row.lines), list(row.journals)) for row in rows]


def test_stripes_id_comes_first_one_to_one_one_to_many_and_many_to_one(database: Database) -> None:
    with database.reading() as session:
        one, two, three, whole = stated(
            session,
            [(0, 500, "STRIPE po_AAAAAAAA1"), (1, 300, "po_BBBBBBBB2 a"), (1, 200, "po_BBBBBBBB2 b"),
             (2, 90, "x po_CCCCCCCC3")],
        )  # fmt: skip
        first = booked(session, "a", 500, 9, payout="po_AAAAAAAA1")  # far away in time
        both = booked(session, "b", 500, payout="po_BBBBBBBB2")
        left, right = (booked(session, key, 45, payout="po_CCCCCCCC3") for key in "cd")
        assert matched(session) == [
            ("PROVIDER_ID", [one], [first]),
            ("PROVIDER_ID", [two, three], [both]),
            ("PROVIDER_ID", [whole], [left, right]),
        ]


def test_amount_and_date_only_where_nothing_else_could_be_meant(database: Database) -> None:
    with database.reading() as session:
        clear, _, _, late = stated(session, [(0, 700, ""), (1, 40, ""), (2, 40, ""), (9, -55, "")])
        mine = booked(session, "a", 700, 4)
        booked(session, "b", 40)
        booked(session, "c", -55, 2)  # seven days before
        assert matched(session) == [("AMOUNT_AND_DATE", [clear], [mine])]
        assert late


def test_a_day_of_postings_is_one_line_and_a_day_of_lines_one_posting(database: Database) -> None:
    with database.reading() as session:
        whole, a, b = stated(session, [(3, 600, ""), (5, -10, ""), (5, -20, "")])
        parts = [booked(session, key, amount, 2) for key, amount in (("a", 350), ("b", 250))]
        one = booked(session, "c", -30, 5)
        assert sorted(matched(session)) == [("SUM", [whole], parts), ("SUM", [a, b], [one])]


def test_a_line_that_names_a_payout_of_another_amount_is_not_taken_for_something_else(
    database: Database,
) -> None:
    with database.reading() as session:
        stated(session, [(0, 985, "po_AAAAAAAA1")])
        booked(session, "a", 1_000, payout="po_AAAAAAAA1")
        booked(session, "b", 985)
        assert matched(session) == []


amounts = st.sampled_from([-30, -20, -10, 10, 20, 30, 40])
names = st.sampled_from(["", "po_AAAAAAAA1", "po_BBBBBBBB2"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.tuples(st.integers(0, 8), amounts, names), max_size=7),
    ledger=st.lists(st.tuples(st.integers(0, 8), amounts, names), max_size=7),
)
def test_whatever_is_stated_and_booked_matches_sum_and_repeat(
    database: Database, lines: list[Told], ledger: list[Told]
) -> None:
    """No line or posting beyond its amount (the database's own trigger), the same again, and nothing twice."""
    with database.reading() as session:
        stated(session, lines)
        for place, (after, amount, name) in enumerate(ledger):
            booked(session, f"k{place}", amount, after, payout=name)
        with session.begin_nested() as once:
            first = matched(session)
            once.rollback()
        again = matched(session)
        assert again == first
        assert matched(session) == again, "a rerun adds nothing"
        used = [number for _, each, _ in again for number in each]
        assert len(used) == len(set(used))


# On a desk


def lawful(market: Market) -> None:
    """Every invariant holds, but for the entries of the statement that these tests write past the import."""
    found = market.read(invariants.run)
    assert [each.rows for each in found if each.rows and each.name != "words_as_recorded"] == []


def told(market: Market, *lines: Told) -> list[int]:
    return market.database.run(lambda session: stated(session, lines))


def run(market: Market, **later: float) -> ReconciliationRun:
    market.wait(**(later or {"minutes": 1}))
    market.control.set_clock(market.now)
    return market.get(ReconciliationRun, reconciliation.run(market.desk, SYSTEM))


def open_breaks(market: Market) -> list[queries.BreakRow]:
    return market.read(
        lambda session: queries.page(session, queries.BreakFilter(), now=market.now, limit=None)
    )


def test_a_bank_only_line_is_explained_by_two_people_and_then_all_is_clean(market: Market) -> None:
    market.pay_in(10_000)
    (_, charge) = told(market, (0, -10_000, "To Stripe"), (0, -35, "Account fee"))
    assert run(market).status == "BREAKS"
    (row,) = open_breaks(market)
    assert (row.class_, row.theirs, row.bank_line_id) == ("BANK_ONLY", Money(-35, "USD"), charge)
    fay = market.as_staff("fay")
    with pytest.raises(breaks.NotAtStripe):
        market.act(breaks.ask_again, fay, break_id=row.id, reason="Look again.")
    with pytest.raises(NotAtTheBank):
        market.act(bank_matches.explain, fay, line_ids=[charge], settled_as=SettledAs.OWN_MONEY, reason="x")
    market.act(
        bank_matches.explain, fay, line_ids=[charge], settled_as=SettledAs.BANK_CHARGE, reason="Monthly fee."
    )
    (row,) = open_breaks(market)
    assert (row.state, row.kind) == ("PROPOSED", "IN_SUSPENSE")
    assert run(market).status == "SUSPENSE"
    (item,) = market.all(SuspenseItem)
    market.act(suspense.approve, market.as_staff("ada"), item_ids=[item.id], reason="Seen.")
    assert open_breaks(market) == []
    assert run(market).status == "CLEAN"
    assert market.books() == {"bank": -10_035, "bank_charges": 35, "stripe_balance": 10_000}
    lawful(market)


def test_a_bank_line_in_suspense_is_on_the_checklist_of_its_day(market: Market) -> None:
    (line,) = told(market, (0, -35, "Account fee"))
    run(market, days=1)
    facts: dict[str, Any] = {
        "line_ids": [line],
        "settled_as": SettledAs.BANK_CHARGE,
        "reason": "Monthly fee.",
    }
    market.act(bank_matches.explain, market.as_staff("fay"), **facts)

    def found(day: date) -> str:
        items = market.read(lambda s: periods.cheap(s, span(PeriodKind.DAY, day), now=market.now))
        return next(each.found for each in items if each.name == "suspense")

    assert found(DAY) == "In suspense, by the day of its line on the statement: -$0.35 in 1 item."
    assert found(DAY - timedelta(days=1)) == "Nothing in suspense."


def test_what_is_booked_and_not_at_the_bank_is_timing_first_and_then_a_break(market: Market) -> None:
    told(market, (0, -1, "x"))
    market.pay_in(10_000)
    assert [each.class_ for each in open_breaks(market)] == ["BANK_ONLY", "TIMING"]
    assert run(market).breaks == 1, "what may still come is no break of the run"
    assert run(market, days=6).breaks == 2
    assert [each.class_ for each in open_breaks(market)] == ["BANK_ONLY", "LEDGER_ONLY"]


def test_by_hand_the_sums_agree_or_the_difference_is_explained(market: Market) -> None:
    market.pay_in(10_000)
    (short,) = told(market, (0, -9_985, "To Stripe, less our charge"))
    run(market)
    journal = next(each.journal_id for each in open_breaks(market) if each.ours)
    fay = market.as_staff("fay")
    facts: dict[str, Any] = {"line_ids": [short], "journal_ids": [journal], "reason": "The same top-up."}
    with pytest.raises(SumsDiffer):
        market.act(bank_matches.by_hand, fay, **facts)
    market.act(bank_matches.by_hand, fay, **facts, difference=True)
    (row,) = open_breaks(market)
    assert (row.kind, row.theirs) == ("IN_SUSPENSE", Money(15, "USD"))
    assert {each.closed_as for each in market.all(Break) if each.status == "CLOSED"} == {"MATCHED"}
    with pytest.raises(MatchedAlready):
        market.act(bank_matches.by_hand, fay, **facts, difference=True)
    assert run(market).status == "SUSPENSE"
    lawful(market)


def test_by_hand_only_what_is_there_and_free_is_matched(market: Market) -> None:
    market.pay_in(10_000)
    first, second = told(market, (0, -9_985, "To Stripe"), (0, -9_985, "To Stripe"))
    run(market)
    journal = next(each.journal_id for each in open_breaks(market) if each.ours)
    told_of = market.database.run(
        lambda s: journal_store.post(
            s, postings.line_difference(key="other", amount=Money(5, "USD"), cause={}), now=market.now
        )
    )
    for lines, journals, refusal in (
        ([first, 987_654], [journal], NotFound),
        ([first], [told_of], NothingToMatch),
        ([first], [journal, told_of], NothingToMatch),
    ):
        with pytest.raises(refusal):
            by_hand(market, lines, journals)
    by_hand(market, [first], [journal])
    with pytest.raises(MatchedAlready, match=f"J-{journal}"):
        by_hand(market, [second], [journal])


def by_hand(market: Market, lines: Sequence[int], journals: Sequence[int | None]) -> None:
    facts: dict[str, Any] = {"line_ids": lines, "journal_ids": journals, "reason": "The same."}
    market.act(bank_matches.by_hand, market.as_staff("fay"), **facts, difference=True)


def test_a_dry_run_shows_it_and_keeps_nothing(market: Market, owner: Database) -> None:
    market.pay_in(10_000)
    told(market, (0, -10_000, "To Stripe"), (0, -35, "Account fee"))
    market.control.line("payment", 8_600, "USD")
    market.wait(minutes=1)
    with nothing_changes(owner):
        found = reconciliation.dry_run(market.desk, SYSTEM)
    assert [(each.rule, each.amount) for each in found.matches] == [
        ("AMOUNT_AND_DATE", Money(-10_000, "USD"))
    ]
    assert [each.class_ for each in found.breaks] == ["BANK_ONLY", "TIMING"]
    assert (found.run.status, found.run.matched, found.run.unmatched) == ("BREAKS", 1, 2)


def test_a_run_that_was_killed_between_matching_and_comparing_is_gone_on_with(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.pay_in(10_000)
    told(market, (0, -10_000, "To Stripe"))

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reconciliation, "_compare", killed)
    with pytest.raises(KeyboardInterrupt):
        run(market)
    monkeypatch.undo()
    before = market.books()
    assert run(market).status == "CLEAN"
    assert market.books() == before
    assert market.read(lambda session: session.scalar(text("select count(*) from bank_matches"))) == 1


@pytest.mark.parametrize(
    "statement_",
    [
        "insert into bank_match_lines select line_id, match_id from bank_match_lines",
        "update bank_match_postings set amount_minor = amount_minor - 1",
        "insert into bank_match_postings select {stray}, 'USD', min(id), 1 from bank_matches",
    ],
)
def test_the_database_lets_nothing_be_matched_twice_or_beyond_its_amount(
    market: Market, owner: Database, statement_: str
) -> None:
    market.pay_in(10_000)
    told(market, (0, -10_000, "To Stripe"))
    run(market)
    stray = market.database.run(lambda session: booked(session, "stray", 77))
    with pytest.raises((IntegrityError, DBAPIError)), owner.transaction() as session:
        session.execute(text(statement_.format(stray=stray)))
