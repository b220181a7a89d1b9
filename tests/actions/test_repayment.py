"""A payee repays by instalments: only what has fallen due is set off, and what was written off may come after all."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.actions.debts import receivables as debts
from core.actions.debts import repayment_plans, write_offs
from core.actions.debts.repayment_plans import PlanEnded, PlanStands
from core.actions.debts.write_offs import LessWasWrittenOff, NothingToRecover
from core.actions.milestones import verification
from core.actions.reconciliation import suspense
from core.db import Database
from core.ledger import accounts, journal_store
from core.money import Money
from core.processes import deadline_queries
from core.processes.deadlines import DEADLINES
from core.queries import invariants, receivables, set_offs
from core.records import Notification, RepaymentPlan
from core.rules import repayment_plans as rules
from core.rules.permissions import NotPermitted
from core.rules.repayment_plans import (
    DaysOutOfOrder,
    Every,
    Instalment,
    NotTheWholeDebt,
    PartOnItsWay,
    TooManyInstalments,
)
from core.rules.suspense import SettledAs
from tests import builders
from tests.actions.test_chargebacks import in_suspense
from tests.actions.test_receivables import owes, pays
from tests.builders import Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def agree(town: Town, *minors: int, by: str = "fay", after: int = 10) -> RepaymentPlan:
    """Instalments of these amounts, ten days apart."""
    first = town.now.date() + timedelta(days=after)
    rows = [Instalment(first + timedelta(days=10 * n), usd(minor)) for n, minor in enumerate(minors)]
    give = {"party_id": town.payee_id, "instalments": rows, "reason": "By telephone."}
    return town.act(repayment_plans.agree, town.as_staff(by), **give)


def due(town: Town) -> int:
    """Of one debt, as its list says too."""
    found = town.read(lambda s: debts.due(s, town.payee_id, "USD")).minor
    assert sum(each.due.minor for each in town.read(lambda s: receivables.debts(s, now=town.now))) == found
    return found


def found(town: Town, kind: str) -> list[int]:
    query = {"instalment": deadline_queries.instalments, "debt": deadline_queries.debts}[kind]
    return [row.id for row in town.read(lambda s: s.execute(query(town.now)).all())]


def acted(town: Town, kind: str, number: int) -> bool:
    def act(session: Session) -> bool:
        DEADLINES[kind].lock(session, number)
        return DEADLINES[kind].act(session, number, town.now)

    return town.database.run(act)


def timers(town: Town, kind: str) -> int:
    rows = found(town, kind)
    assert [acted(town, kind, number) for number in rows] == [True] * len(rows)
    return len(rows)


def letters(town: Town) -> list[str]:
    return [each.template for each in town.read(lambda s: s.query(Notification).order_by("id").all())]


def test_a_release_keeps_back_what_has_fallen_due_and_no_more(town: Town) -> None:
    owes(town, 30_000, "lost")
    agree(town, 10_000, 10_000, 10_000)
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.wait(days=9)
    assert (timers(town, "instalment"), due(town)) == (0, 0)
    town.wait(days=1)
    assert (timers(town, "instalment"), due(town)) == (1, 10_000)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    assert town.read(lambda s: debts.owed(s, town.payee_id, "USD")).minor == 20_000
    assert due(town) == 0
    (plan,) = town.read(lambda s: receivables.plans(s, town.payee_id, "USD"))
    assert [each.state for each in plan.instalments] == ["Settled", "To come", "To come"]
    assert [each.name for each in town.read(invariants.run) if not each.holds] == []


def test_reminders_follow_the_plan(town: Town) -> None:
    owes(town, 30_000, "lost")
    agree(town, 10_000, 20_000, after=20)
    town.wait(days=19)
    assert (timers(town, "debt"), timers(town, "instalment")) == (0, 0)
    town.wait(days=1)
    assert timers(town, "instalment") == 1
    assert letters(town).count("debt_reminder") == 1
    assert timers(town, "debt") == 0
    pays(town, 10_000, "first")
    town.wait(days=5)
    assert timers(town, "debt") == 0
    town.wait(days=5)
    assert timers(town, "instalment") == 1
    town.wait(days=14)
    assert timers(town, "debt") == 1
    assert letters(town).count("debt_reminder") == 3


def test_who_has_paid_in_the_meantime_is_reminded_of_nothing(town: Town) -> None:
    """Paid, or ended, between the look without a lock and the lock."""
    owes(town, 30_000, "lost")
    plan = agree(town, 10_000, 20_000)
    town.wait(days=10)
    (first,) = found(town, "instalment")
    pays(town, 10_000, "first")
    assert acted(town, "instalment", first)
    assert not acted(town, "instalment", first), "it has fallen due"
    town.act(repayment_plans.end, town.as_staff("fay"), plan_id=plan.id, reason="Missed.")
    town.wait(days=40)
    (debt,) = found(town, "debt")
    pays(town, 20_000, "all of it")
    assert not acted(town, "debt", debt)
    assert "debt_reminder" not in letters(town)


def test_a_plan_that_ends_with_nothing_owed_asks_for_nothing(town: Town) -> None:
    owes(town, 30_000, "lost")
    plan = agree(town, 30_000)
    pays(town, 30_000, "all of it")
    town.act(repayment_plans.end, town.as_staff("fay"), plan_id=plan.id, reason="Paid at once.")
    assert "repayment_plan_ended" not in letters(town)


def test_what_is_paid_settles_the_oldest_instalment_and_a_new_debt_is_due_at_once(town: Town) -> None:
    owes(town, 30_000, "lost")
    agree(town, 10_000, 20_000)
    pays(town, 4_000, "a part")
    owes(town, 700, "another")
    assert due(town) == 700
    (plan,) = town.read(lambda s: receivables.plans(s, town.payee_id, "USD"))
    assert [each.open.minor for each in plan.instalments] == [6_000, 20_000]
    row = town.act(repayment_plans.end, town.as_staff("fay"), plan_id=plan.id, reason="Missed.")
    assert (row.end_reason, due(town)) == ("Missed.", 26_700)
    with pytest.raises(PlanEnded):
        town.act(repayment_plans.end, town.as_staff("fay"), plan_id=plan.id, reason="Missed.")
    assert letters(town)[-1] == "repayment_plan_ended"


def test_one_plan_at_a_time_of_the_whole_debt_in_the_order_of_its_days(town: Town) -> None:
    owes(town, 30_000, "lost")
    with pytest.raises(NotTheWholeDebt):
        agree(town, 10_000, 10_000)
    with pytest.raises(DaysOutOfOrder):
        agree(town, 30_000, after=-1)
    for none_or_nothing in ((), (0, 30_000)):
        with pytest.raises(TooManyInstalments):
            agree(town, *none_or_nothing)
    with pytest.raises(NotPermitted):
        agree(town, 30_000, by="ada")
    agree(town, 30_000)
    with pytest.raises(PlanStands, match=r"\$300\.00 is open"):
        agree(town, 30_000)
    pays(town, 30_000, "all of it")
    owes(town, 500, "another")
    agree(town, 500)
    assert [each.end_reason for each in town.read(lambda s: receivables.plans(s, town.payee_id, "USD"))] == [
        None,
        repayment_plans.PAID,
    ]


def test_there_is_no_plan_while_a_part_of_the_debt_is_on_its_way(town: Town) -> None:
    owes(town, 30_000, "lost")
    item = in_suspense(town, "sent", 10_000)
    give = {"item_ids": [item], "settled_as": SettledAs.PAYEE_DEBT, "target_id": town.payee_id}
    town.act(suspense.propose, town.as_staff("fay"), **give, reason="Theirs.")
    with pytest.raises(PartOnItsWay, match=r"\$100\.00"):
        agree(town, 10_000, 10_000)
    assert "$100.00 of it is on its way" in words(visit(town, "fay", "receivables", payee=town.payee_id))
    town.act(suspense.approve, town.as_staff("ada"), item_ids=[item], reason="Seen.")
    agree(town, 10_000, 10_000)
    assert due(town) == 0, "what had been on its way is no instalment"


def test_where_nothing_can_be_set_off_the_cause_that_applies_is_named_alone(town: Town) -> None:
    owes(town, 30_000, "lost")
    item = in_suspense(town, "sent", 30_000)
    give = {"item_ids": [item], "settled_as": SettledAs.PAYEE_DEBT, "target_id": town.payee_id}
    town.act(suspense.propose, town.as_staff("fay"), **give, reason="Theirs.")
    found = town.read(lambda s: set_offs.of_payee(s, town.payee_id, "USD"))
    assert found.why_none == (
        "Of the debt $300.00 is due, and that is on its way to be settled: $300.00 in suspense is proposed as the "
        "payee's payment. Wait for it to end."
    )


def test_equal_instalments_sum_to_the_debt_and_a_month_is_the_same_day_or_its_last() -> None:
    rows = rules.equal(usd(10_000), count=3, first=date(2026, 1, 31), every=Every.MONTH)
    assert [each.amount.minor for each in rows] == [3_333, 3_333, 3_334]
    assert [each.due_on for each in rows] == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    rows = rules.equal(usd(2), count=2, first=date(2026, 1, 31), every=Every.WEEK)
    assert [each.due_on for each in rows] == [date(2026, 1, 31), date(2026, 2, 7)]
    with pytest.raises(TooManyInstalments):
        rules.equal(usd(2), count=3, first=date(2026, 1, 31), every=Every.WEEK)


def written_off(town: Town, minor: int) -> int:
    owes(town, 10_000, "lost")
    give = {"party_id": town.payee_id, "amount": usd(minor), "reason": "Insolvent."}
    row = town.act(write_offs.propose, town.as_staff("fay"), **give)
    town.act(write_offs.approve, town.as_staff("ada"), write_off_id=row.id)
    return row.id


def explain(town: Town, item: int, target: int) -> None:
    give = {
        "item_ids": [item],
        "settled_as": SettledAs.DEBT_RECOVERED,
        "target_id": target,
        "reason": "Theirs.",
    }
    town.act(suspense.propose, town.as_staff("fay"), **give)
    town.act(suspense.approve, town.as_staff("ada"), item_ids=[item], reason="Seen.")


def test_a_debt_that_was_written_off_and_is_paid_is_recovered_and_linked(town: Town) -> None:
    number = written_off(town, 8_000)
    item = in_suspense(town, "a", 5_000)
    with pytest.raises(NothingToRecover):
        explain(town, item, number + 1)
    explain(town, item, number)
    assert town.read(lambda s: journal_store.balance(s, accounts.BAD_DEBT_RECOVERED, "USD")).minor == 5_000
    (row,) = town.read(receivables.written_off)
    assert (row.id, row.recovered.minor, row.items) == (number, 5_000, f"S-{item}")
    with pytest.raises(LessWasWrittenOff, match=r"\$30\.00 is not recovered yet"):
        explain(town, in_suspense(town, "b", 3_001), number)
    app = visit(town, "fay", "receivables")
    assert "Written off" in words(app)


@pytest.mark.parametrize(
    "statement",
    [
        "update repayment_plans set reason = 'another'",
        "update repayment_instalments set amount_minor = 1",
        "update repayment_instalments set fell_due_at = now() - interval '30 years'",
        "update repayment_plans set ended_at = now()",
        "delete from repayment_instalments",
        "insert into repayment_plans (party_id, currency, after_journal, reason, agreed_by, agreed_at) "
        "select party_id, currency, 0, 'x', agreed_by, now() from repayment_plans",
    ],
)
def test_the_database_refuses_it_too(town: Town, statement: str) -> None:
    owes(town, 30_000, "lost")
    agree(town, 30_000)
    with pytest.raises(DBAPIError):
        town.database.run(lambda s: s.execute(text(statement)))


def test_the_page_agrees_on_instalments_ends_them_and_writes_off_a_part(town: Town) -> None:
    owes(town, 10_000, "lost")
    app = visit(town, "fay", "receivables", payee=town.payee_id)
    row = f"{town.payee_id}-USD"
    app.number_input(key=f"plan-count-{row}").set_value(4).run()
    app.date_input(key=f"plan-first-{row}").set_value(town.now.date() + timedelta(days=5)).run()
    app.text_input(key=f"plan-reason-{row}").set_value("By telephone").run()
    app.button(key="agree-plan").click().run()
    assert not app.exception
    assert "The plan is saved. The payee gets an e-mail." in words(app)
    app = visit(town, "fay", "receivables", payee=town.payee_id)
    assert "nothing of it is due now" in words(app)
    assert "agree-plan" not in [each.key for each in app.button]
    app.text_input(key=f"end-plan-reason-{row}").set_value("Missed").run()
    app.button(key="end-plan").click().run()
    assert "What is owed is due at once." in words(app)
    app = visit(town, "fay", "receivables", payee=town.payee_id)
    app.text_input(key=f"write-off-amount-{row}").set_value("60.00").run()
    app.text_input(key=f"write-off-reason-{row}").set_value("Insolvent").run()
    app.button(key="write-off-propose").click().run()
    assert not app.exception
    app = visit(town, "cora", "receivables", payee=town.payee_id)
    app.button(key="write-off-confirm").click().run()
    assert "$60.00 is written off." in words(app)
    assert "$40.00" in words(visit(town, "fay", "receivables", payee=town.payee_id))
