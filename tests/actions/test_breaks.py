"""A break is one thing across runs: opened, followed, worked at, closed, and open again when it comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.actions.milestones import verification
from core.actions.periods import manual_journals, payee_entries
from core.actions.reconciliation import breaks, suspense
from core.db import Database
from core.desk import Desk
from core.errors import NotFound
from core.ledger import journal_store, postings
from core.money import Money
from core.processes import break_refetch, reconciliation, returned_payouts
from core.processes.stripe_statements import PayeeUnread
from core.queries import breaks as queries
from core.records import Break, ManualJournal, ReconciliationBreak, ReconciliationRun, SuspenseItem
from core.rules.breaks import BreakIsClosed, WaitsTooLong, WaitsTooShort
from core.rules.permissions import SYSTEM, NotPermitted
from core.rules.proposals import MakerIsChecker, ProposalFallen
from core.rules.suspense import CameIn, SettledAs, WentOut
from tests.sandbox_desk import Market


def run(market: Market, **later: float) -> int:
    market.wait(**(later or {"minutes": 1}))
    market.control.set_clock(market.now)
    return reconciliation.run(market.desk, SYSTEM)


def odd(market: Market, kind: str = "payment", amount: int = 8_600) -> None:
    market.control.set_clock(market.now)
    market.control.line(kind, amount, "USD")


def shown(market: Market, **wanted: Any) -> list[queries.BreakRow]:
    return market.read(
        lambda session: queries.page(session, queries.BreakFilter(**wanted), now=market.now, limit=None)
    )


def test_two_runs_see_one_break_and_its_class_follows_what_is_known(market: Market) -> None:
    odd(market)
    first = run(market)
    (seen,) = shown(market)
    assert (seen.class_, seen.state, seen.first_run_id) == ("TIMING", "OPEN", first)
    assert not break_refetch.fetch_again(market.desk, seen.id), "it may still come by a webhook"
    second = run(market, hours=2)
    (again,) = shown(market)
    assert (again.id, again.first_run_id, again.last_run_id) == (seen.id, first, second)
    assert {each.break_id for each in market.all(ReconciliationBreak)} == {seen.id}
    run(market, days=1, hours=1)
    (known,) = shown(market)
    assert (known.id, known.class_, known.kind) == (seen.id, "MADE_AT_STRIPE", "IN_SUSPENSE")
    assert "the ledger does not say what it is" in known.sentence


def test_what_agrees_later_is_closed_by_the_run_that_finds_it_so_and_opens_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.pay_in(10_000)
    monkeypatch.setattr(
        reconciliation, "_fetch", lambda desk, until: 0
    )  # what stands there is not read again

    def stated(amount: int) -> list[queries.BreakRow]:
        with market.database.transaction() as session:
            session.execute(text("update statement_lines set amount = :a, net = :a"), {"a": amount})
        run(market)
        return [each for each in shown(market) if each.kind == "AMOUNT_DIFFERS"]

    (seen,) = stated(9_000)
    assert (seen.class_, seen.theirs, seen.ours) == ("AMOUNT_DIFFERS", *_usd(9_000, 10_000))
    assert stated(10_000) == []
    assert {each.closed_as for each in shown(market, state="CLOSED")} == {"AGREES"}
    assert [each.id for each in stated(9_000)] == [seen.id]
    actions = [each.action for each in market.read(lambda session: queries.history(session, seen))]
    assert actions == ["system:break:open", "system:break:close", "system:break:reopen"]


def _usd(*amounts: int) -> list[Money]:
    return [Money(each, "USD") for each in amounts]


def in_suspense(market: Market, kind: str, amount: int) -> tuple[Break, SuspenseItem]:
    odd(market, kind, amount)
    run(market)
    run(market, days=1, hours=1)
    item = market.all(SuspenseItem)[-1]
    row = market.read(
        lambda session: session.scalars(select(Break).where(Break.suspense_item_id == item.id)).one()
    )
    return row, item


def explain(market: Market, item: SuspenseItem, what: SettledAs, target: int | None = None) -> None:
    market.act(
        suspense.propose,
        market.as_staff("fay"),
        item_ids=[item.id],
        settled_as=what,
        reason="Seen.",
        target_id=target,
    )
    market.act(suspense.approve, market.as_staff("ada"), item_ids=[item.id], reason="Seen as well.")


@pytest.mark.parametrize(
    ("kind", "amount", "what", "account", "debit"),
    [
        ("reserve_hold", -15_000, SettledAs.RESERVE, "stripe_reserve", 15_000),
        ("reserve_release", 15_000, SettledAs.RESERVE, "stripe_reserve", -15_000),
        ("contribution", -1_250, SettledAs.OTHER_EXPENSE, "other_expense", 1_250),
        ("adjustment", 700, SettledAs.OTHER_INCOME, "other_income", 700),
        ("adjustment", 300, SettledAs.INTEREST, "other_income", 300),
        ("adjustment", -90, SettledAs.BANK_CHARGE, "bank_charges", 90),
    ],
)
def test_each_explanation_books_its_account_and_closes_the_break(
    market: Market, kind: str, amount: int, what: SettledAs, account: str, debit: int
) -> None:
    row, item = in_suspense(market, kind, amount)
    market.act(suspense.propose, market.as_staff("fay"), item_ids=[item.id], settled_as=what, reason="Seen.")
    assert [each.state for each in shown(market)] == ["PROPOSED"]
    market.act(suspense.approve, market.as_staff("ada"), item_ids=[item.id], reason="Seen as well.")
    assert market.books() == {account: debit, "stripe_balance": amount}
    closed = market.get(Break, row.id)
    assert (closed.status, closed.closed_as, closed.closed_by) == ("CLOSED", "EXPLAINED", market.staff["ada"])
    number = run(market)
    assert market.get(ReconciliationRun, number).status == "CLEAN"
    market.lawful()


def test_a_payee_paid_by_hand_owes_it_back(market: Market) -> None:
    _, item = in_suspense(market, "transfer", -4_000)
    explain(market, item, SettledAs.PAYEE_OWES, market.payee_id)
    books = market.books()
    assert (books["receivable_payee"], books["connected_balance"]) == (4_000, 4_000)
    market.lawful()


def test_what_went_to_a_payee_in_another_way_than_by_a_transfer_is_not_at_stripe(market: Market) -> None:
    _, item = in_suspense(market, "adjustment", -4_000)
    with pytest.raises(NotFound, match="payee"):
        explain(market, item, SettledAs.PAYEE_OWES, market.payer_id)
    explain(market, item, SettledAs.PAYEE_OWES, market.payee_id)
    assert market.books() == {"receivable_payee": 4_000, "stripe_balance": -4_000}
    market.lawful()


def test_amounts_that_offset_each_other_leave_suspense_without_an_entry(market: Market) -> None:
    both = [in_suspense(market, "adjustment", amount)[1].id for amount in (700, -700)]
    before = market.books()
    given = {"item_ids": both, "reason": "The same payment, and its return."}
    market.act(suspense.propose, market.as_staff("fay"), **given, settled_as=SettledAs.EACH_OTHER)
    market.act(suspense.approve, market.as_staff("ada"), **given)
    assert {each.status for each in market.all(SuspenseItem)} == {"SETTLED"}
    assert market.books() == before == {}
    assert shown(market) == []
    market.lawful()


def test_money_that_came_in_is_no_expense_and_what_went_out_no_income(market: Market) -> None:
    _, came = in_suspense(market, "adjustment", 700)
    with pytest.raises(CameIn):
        explain(market, came, SettledAs.OTHER_EXPENSE)
    _, went = in_suspense(market, "adjustment", -700)
    with pytest.raises(WentOut):
        explain(market, went, SettledAs.INTEREST)


def test_an_owner_a_remark_and_a_day_to_wait_for_stand_in_its_history(market: Market) -> None:
    row, _ = in_suspense(market, "reserve_hold", -15_000)
    fay, number = market.as_staff("fay"), row.id
    market.act(
        breaks.assign, fay, break_id=number, owner_id=market.staff["fay"], reason="I know the people there."
    )
    market.act(breaks.remark, fay, break_id=number, words="Stripe was asked.")
    market.act(
        breaks.wait, fay, break_id=number, until=market.now + timedelta(days=2), reason="They answer by then."
    )
    (waiting,) = shown(market)
    assert (waiting.owner_id, waiting.remark, waiting.state) == (
        market.staff["fay"],
        "Stripe was asked.",
        "WAITING",
    )
    assert shown(market, state="OPEN") == []
    assert [
        each.id for each in shown(market, owner=str(market.staff["fay"]), class_="UNKNOWN", least=150)
    ] == [number]
    assert shown(market, least=151) == []
    market.wait(days=2)
    assert [each.state for each in shown(market)] == ["OPEN"]
    said = [
        each.reason for each in market.read(lambda session: queries.history(session, waiting)) if each.reason
    ]
    assert said[-3:] == ["I know the people there.", "Stripe was asked.", "They answer by then."]


def test_only_finance_works_at_breaks_and_never_at_closed_ones(market: Market) -> None:
    row, item = in_suspense(market, "reserve_hold", -15_000)
    with pytest.raises(NotPermitted):
        market.act(breaks.remark, market.as_staff("ada"), break_id=row.id, words="x")
    with pytest.raises(breaks.NotAnOwner):
        market.act(
            breaks.assign, market.as_staff("fay"), break_id=row.id, owner_id=market.staff["ada"], reason="x"
        )
    for until, refusal in ((market.now, WaitsTooShort), (market.now + timedelta(days=40), WaitsTooLong)):
        with pytest.raises(refusal):
            market.act(breaks.wait, market.as_staff("fay"), break_id=row.id, until=until, reason="x")
    explain(market, item, SettledAs.RESERVE)
    with pytest.raises(
        BreakIsClosed, match=r"closed on .* UTC: \w.* approved its explanation\. Nothing is left"
    ):
        market.act(breaks.remark, market.as_staff("fay"), break_id=row.id, words="x")


@pytest.mark.parametrize(
    "statement",
    [
        "update breaks set status = 'CLOSED'",
        "update breaks set theirs = null, ours = null",
        "update breaks set status = 'CLOSED', closed_at = now(), closed_as = 'AGREES'",
        "insert into breaks select (jsonb_populate_record(b, '{\"id\": 99}')).* from breaks b",
    ],
)
def test_the_database_keeps_the_law_of_breaks(market: Market, statement: str) -> None:
    """A status without its entry, a closed one without how, one without an amount, the same thing twice."""
    in_suspense(market, "reserve_hold", -15_000)
    with pytest.raises((IntegrityError, DBAPIError)), market.database.transaction() as session:
        session.execute(text(statement))


def test_breaks_of_runs_before_there_were_any_are_kept(owner: Database) -> None:
    """The migration made one of what several runs saw; its own statement is tried on rows of then."""
    source = (
        __import__("pathlib")
        .Path("migrations/versions/2026_11_29_0052_breaks.sql")
        .read_text(encoding="utf-8")
    )
    statement = source[source.index("WITH last AS") : source.index("-- What is in suspense and unexplained")]
    columns = "id, until, started_at, finished_at, status, lines, matched, totals, breaks"
    with owner.transaction() as session:
        for number in (101, 102):
            session.execute(
                text(
                    f"insert into reconciliation_runs ({columns})"
                    " values (:n, now(), now(), now(), 'BREAKS', 1, 0, '[]', 2)"
                ),
                {"n": number},
            )
        for number, line in ((101, "txn_a"), (101, "txn_b"), (102, "txn_b")):
            session.execute(
                text(
                    "insert into reconciliation_breaks (run_id, kind, transaction_id, currency, at_provider)"
                    " values (:run, 'NOT_IN_LEDGER', :line, 'USD', 5)"
                ),
                {"run": number, "line": line},
            )
        for each in statement.split(";"):
            if each.strip():
                session.execute(text(each))
        found = session.execute(
            text("select object, status, first_run_id, last_run_id from breaks order by object")
        )
        assert [tuple(row) for row in found] == [("txn_a", "CLOSED", 101, 101), ("txn_b", "OPEN", 101, 102)]
        linked = session.execute(text("select count(*) from reconciliation_breaks where break_id is null"))
        assert linked.scalar_one() == 0
        session.rollback()


def test_what_is_fetched_again_is_applied_and_closes_what_agrees(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands here is not what Stripe says now."""
    market.pay_in(10_000)
    with monkeypatch.context() as patched:
        patched.setattr(reconciliation, "_fetch", lambda desk, until: 0)
        with market.database.transaction() as session:
            session.execute(text("update statement_lines set amount = 9000, net = 9000"))
        run(market)
    (row,) = [each for each in shown(market) if each.kind == "AMOUNT_DIFFERS"]
    with pytest.raises(NotPermitted):
        market.act(breaks.ask_again, market.as_staff("ada"), break_id=row.id, reason="x")
    market.act(breaks.ask_again, market.as_staff("fay"), break_id=row.id, reason="Stripe corrected it.")
    assert break_refetch.fetch_again(market.desk, row.id)
    assert market.get(Break, row.id).closed_as == "AGREES"
    assert break_refetch.fetch_again(market.desk, row.id), "and again, which changes nothing"
    run(market)
    assert shown(market) == []


def payee_line(market: Market, number: str, net: int, kind: str = "payment", source: str = "py_1") -> None:
    """A line that Stripe has on the payee's own account."""
    said = text(
        "insert into payee_statement_lines select :number, stripe_account, id, :kind, 'charge', :net, 0, :net, 'USD',"
        " :source, :now, :now, :now from parties where id = :payee"
    )
    values = {
        "number": number,
        "kind": kind,
        "source": source,
        "net": net,
        "now": market.now,
        "payee": market.payee_id,
    }
    with market.database.transaction() as session:
        session.execute(said, values)


def test_each_line_of_a_payees_account_that_the_memorandum_book_does_not_have_is_a_break(
    market: Market,
) -> None:
    run(market)
    assert shown(market) == []
    payee_line(market, "txn_odd", 500)
    payee_line(market, "txn_even", -500)
    assert market.get(ReconciliationRun, run(market)).breaks == 0, "they may still come"
    number = run(market, days=2)
    found = shown(market)
    assert [(each.side, each.class_, each.difference) for each in found] == [
        ("PAYEE", "MADE_AT_STRIPE", *_usd(-500)),
        ("PAYEE", "MADE_AT_STRIPE", *_usd(500)),
    ], "also where the balances agree"
    assert (
        "is on the payee's statement at Stripe, and the ledger does not say what it is" in found[0].sentence
    )
    side = market.read(lambda session: queries.statement_side(session, found[1]))
    assert side is not None
    assert (side.id, side.net) == ("txn_odd", *_usd(500))
    assert market.get(ReconciliationRun, number).status == "BREAKS"


def test_what_the_memorandum_book_has_and_the_payees_account_has_not_is_a_break(market: Market) -> None:
    arrived = {"party_id": market.payee_id, "amount": Money(700, "USD"), "cause": {"transfer": "tr_1"}}
    market.database.run(
        lambda session: journal_store.post(
            session, postings.transfer_arrived(key="arrived", **arrived), now=market.now
        )
    )
    run(market)
    assert [each.class_ for each in shown(market)] == ["TIMING"]
    run(market, days=2)
    (row,) = shown(market)
    assert (row.class_, row.ours, row.theirs) == ("LEDGER_ONLY", *_usd(700), None)
    payee_line(market, "txn_late", 700)
    run(market)
    assert shown(market) == []


def test_an_account_that_could_not_be_read_closes_none_of_its_breaks(market: Market, owner: Database) -> None:
    payee_line(market, "txn_odd", 500)
    run(market, days=2)
    (row,) = shown(market)
    with owner.transaction() as session:
        session.execute(text("delete from payee_statement_lines"))
    market.wait(minutes=1)
    market.control.set_clock(market.now)
    reconciliation.run(market.desk, SYSTEM, payees=False)
    assert [each.id for each in shown(market)] == [row.id], "nothing was read, so nothing agrees"
    run(market)
    assert shown(market) == []


def entry_for(market: Market, row: queries.BreakRow, by: str = "fay") -> ManualJournal:
    about = {"break_id": row.id, "reason": "The payee took a payment of their own."}
    proposed: ManualJournal = market.act(payee_entries.propose, market.as_staff(by), **about)
    return proposed


@pytest.mark.parametrize("net", [500, -500])
def test_a_line_of_a_payees_account_is_booked_in_the_memorandum_book_by_two_people(
    market: Market, net: int
) -> None:
    payee_line(market, "txn_odd", net)
    run(market, days=2)
    (row,) = shown(market)
    before = market.books()
    proposed = entry_for(market, row)
    with pytest.raises(payee_entries.EntryWaits):
        entry_for(market, row)
    (waits,) = shown(market)
    assert waits.state == "PROPOSED"
    with pytest.raises(MakerIsChecker):
        market.act(manual_journals.approve, market.as_staff("fay"), number=proposed.id)
    market.act(manual_journals.approve, market.as_staff("ada"), number=proposed.id)
    assert (market.get(Break, row.id).closed_as, shown(market)) == ("EXPLAINED", [])
    after = market.books()
    apart = {code: after.get(code, 0) - before.get(code, 0) for code in before | after}
    assert {code.partition(":")[0] for code, moved in apart.items() if moved} == {
        "connected_balance",
        "connected_claim",
    }
    journal = market.read(
        lambda s: journal_store.one(s, s.get_one(ManualJournal, proposed.id).journal_id or 0)
    )
    assert (journal.journal.cause["break"], journal.journal.cause["payee_line"]) == (row.id, "txn_odd")
    assert market.get(ReconciliationRun, run(market, days=2)).breaks == 0
    told = market.read(lambda s: queries.history(s, queries.one(s, row.id, now=market.now)))
    assert "staff:journal:post" in [each.action for each in told]


def test_an_entry_that_was_rejected_or_overtaken_leaves_the_break_as_it_is(market: Market) -> None:
    payee_line(market, "txn_odd", 500)
    run(market, days=2)
    (row,) = shown(market)
    first = entry_for(market, row)
    market.act(manual_journals.reject, market.as_staff("ada"), number=first.id, reason="Ask them first.")
    assert [each.state for each in shown(market)] == ["OPEN"]
    second = entry_for(market, row)
    arrived = {"party_id": market.payee_id, "amount": Money(500, "USD"), "cause": {"transfer": "tr_1"}}
    market.database.run(
        lambda s: journal_store.post(s, postings.transfer_arrived(key="late", **arrived), now=market.now)
    )
    run(market)
    assert shown(market) == []
    with pytest.raises(ProposalFallen):
        market.act(manual_journals.approve, market.as_staff("ada"), number=second.id)


def test_what_is_recent_or_only_in_the_book_is_not_booked_by_hand(market: Market) -> None:
    payee_line(market, "txn_odd", 500)
    run(market)
    (row,) = shown(market)
    with pytest.raises(payee_entries.MayStillCome):
        entry_for(market, row)
    arrived = {"party_id": market.payee_id, "amount": Money(700, "USD"), "cause": {"transfer": "tr_1"}}
    market.database.run(
        lambda s: journal_store.post(s, postings.transfer_arrived(key="arrived", **arrived), now=market.now)
    )
    run(market, days=2)
    (ours,) = [each for each in shown(market) if each.journal_id]
    with pytest.raises(payee_entries.NotALineOfAPayee):
        entry_for(market, ours)


def test_a_payout_that_the_desk_asked_for_is_booked_by_its_cause_and_not_by_hand(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    (asked,) = market.operations("PAYOUT")
    payee_line(market, "txn_odd", -500, "payout", source=asked.provider_id or "")
    run(market, days=2)
    (row,) = [each for each in shown(market) if each.object.endswith("txn_odd")]
    with pytest.raises(payee_entries.CausedByTheDesk):
        entry_for(market, row)


def test_a_payees_account_is_read_again_for_its_break(market: Market, owner: Database) -> None:
    payee_line(market, "txn_odd", 500)
    run(market, days=2)
    (row,) = shown(market)
    market.act(breaks.ask_again, market.as_staff("fay"), break_id=row.id, reason="Ask Stripe again.")
    market.wait(minutes=1)
    market.control.set_clock(market.now)
    assert not break_refetch.fetch_again(market.desk, row.id)
    with owner.transaction() as session:
        session.execute(text("delete from payee_statement_lines"))
    market.wait(minutes=1)
    market.control.set_clock(market.now)
    assert break_refetch.fetch_again(market.desk, row.id)
    assert market.get(Break, row.id).closed_as == "AGREES"


def test_a_payees_break_is_not_closed_while_another_run_reads_the_account(
    market: Market, owner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    payee_line(market, "txn_odd", 500)
    run(market, days=2)
    (row,) = shown(market)
    market.wait(minutes=1)
    market.control.set_clock(market.now)
    follow = returned_payouts.follow

    def and_a_run_begins(desk: Desk) -> None:
        follow(desk)
        with owner.transaction() as session:
            window = "window_until = now(), window_since = read_until"
            session.execute(text(f"update statement_cursors set {window} where read_until is not null"))

    monkeypatch.setattr(returned_payouts, "follow", and_a_run_begins)
    with pytest.raises(PayeeUnread, match="is being read by a run"):
        break_refetch.fetch_again(market.desk, row.id)
    assert market.get(Break, row.id).status == "OPEN"
