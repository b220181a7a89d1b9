"""A debt set off by hand against money that was released before it: by hand withdrawn, or not sent yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions.debts import repayment_plans, set_offs, write_offs
from core.actions.debts.set_offs import NothingToSetOff, SetOffChanged
from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.payouts import withdrawals
from core.actions.risk import holds
from core.errors import ReasonMissing
from core.gateways.payments import ProviderRefused
from core.money import Money
from core.processes.outgoing import failures
from core.queries import party_statements, receivables
from core.queries import set_offs as shown
from core.queries.movements import FIRST, Period
from core.queries.party_statements import PartyStatement
from core.records import Hold, Notification, OutgoingOperation, Payout
from core.rules import repayment_plans as rules
from core.rules.payouts import PayoutEvent
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.repayment_plans import Every
from dashboard.ui import confirm
from tests.actions.stripe_events import bank_says, charged_back
from tests.actions.test_statement_counts import counted
from tests.builders import Told
from tests.pages.visiting import labels, serve, visit, words
from tests.sandbox_desk import Market

DEBT = 100_000
ENTRIES = text("select actor_id, reason from audit_entries where action = 'finance:debt:keep_back'")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def verified(market: Market, told: Told) -> None:
    market.wait(hours=30)
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)


def following(market: Market, told: Told, number: int) -> Told:
    """The next milestone of the project, funded."""
    row = market.milestones(told.project)[number]
    market.act(fund.fund, market.payer, milestone_id=row.id)
    market.work()
    return Told(told.project, row.id)


def waiting(market: Market, minor: int, *, by_hand: bool = False) -> tuple[Told, Hold | None]:
    """The first milestone was paid out and charged back; `minor` of the second waits: for the payee, who withdraws by
    hand, or for a hold."""
    told = market.funded(usd(DEBT), usd(minor), usd(70_000))
    verified(market, told)
    market.work()
    market.later(days=4)
    second = following(market, told, 1)
    if by_hand:
        market.withdraws_by_hand()
    verified(market, second)
    held = None
    if not by_hand:
        held = market.act(
            holds.place, market.as_staff("cora"), milestone_id=second.milestone, reason="A report came in."
        )
    market.work()
    bank_says(market, charged_back(market, told), "lost")
    assert market.books()["receivable_payee"] == DEBT
    assert market.order(second) == {"payable": minor}
    return second, held


def lift(market: Market, held: Hold | None) -> None:
    assert held is not None
    market.act(
        holds.lift, market.as_staff("ada"), hold_id=held.id, reason="The report was about another house."
    )


def press(market: Market, minor: int, by: str = "fay", reason: str = "They agreed on the phone.") -> None:
    market.act(
        set_offs.set_off,
        market.as_staff(by),
        party_id=market.payee_id,
        amount=usd(minor),
        reason=reason,
    )


def plan(market: Market) -> shown.SetOff:
    """As the panel shows it; the table of all debts says the same of it."""
    found = market.read(lambda session: shown.of_payee(session, market.payee_id, "USD"))
    listed = market.read(
        lambda session: receivables.with_set_offs(session, receivables.debts(session, now=market.now))
    )
    assert [each.set_off for each in listed if each.party_id == market.payee_id] == [found.total]
    return found


@pytest.mark.parametrize("by_hand", [True, False])
@pytest.mark.parametrize(("waits", "taken"), [(60_000, 60_000), (130_000, 100_000)])
def test_a_debt_is_set_off_against_money_that_waits_and_the_rest_goes_on_as_it_would(
    market: Market, waits: int, taken: int, by_hand: bool
) -> None:
    second, held = waiting(market, waits, by_hand=by_hand)
    if not by_hand:
        lift(market, held)
    found = plan(market)
    assert (found.total.minor, found.owed.minor, found.waits.minor) == (taken, DEBT, waits)
    assert [(each.code.split(":")[0], each.debit, each.credit) for each in found.entry] == [
        ("payee_payable", usd(taken), None),
        ("receivable_payee", None, usd(taken)),
    ]
    press(market, taken)
    assert market.books().get("receivable_payee", 0) == DEBT - taken
    left = {"payable": waits - taken} if waits > taken else {}
    assert market.order(second) == {**left, "released": taken}
    market.lawful()
    (letter,) = [each for each in market.all(Notification) if each.template == "debt_kept_back"]
    assert letter.party_id == market.payee_id
    assert usd(taken).text() in letter.text
    assert usd(waits - taken).text() in letter.text
    (entry,) = market.read(lambda session: session.execute(ENTRIES).all())
    assert (entry.actor_id, entry.reason) == (market.staff["fay"], "They agreed on the phone.")
    market.work()
    sent = [each for each in market.operations("TRANSFER") if each.milestone_id == second.milestone]
    succeeded = sum(each.amount_minor for each in sent if each.status == "SUCCEEDED")
    assert succeeded == (0 if by_hand else waits - taken)
    assert market.status(second) == "COMPLETED"
    market.lawful()


def test_a_withdrawal_that_was_not_sent_is_canceled_and_says_why(market: Market) -> None:
    second, held = waiting(market, 60_000)
    lift(market, held)
    press(market, 60_000)
    (row,) = [each for each in market.all(Payout) if each.milestone_id == second.milestone]
    assert (row.status, row.failure) == ("CANCELED", "A debt was set off against it.")
    market.later(hours=1)
    assert market.order(second) == {"released": 60_000}
    with pytest.raises(NothingToSetOff, match="Nothing that is payable to the payee is with us"):
        press(market, 40_000)


def test_a_transfer_that_stripe_refused_is_set_off_and_the_rest_is_requested_as_a_new_one(
    market: Market,
) -> None:
    second, held = waiting(market, 130_000)
    lift(market, held)
    (call,) = [each for each in market.operations("TRANSFER") if each.milestone_id == second.milestone]

    def refused(session: Session) -> None:
        row = session.get_one(OutgoingOperation, call.id)
        (payout,) = session.scalars(select(Payout).where(Payout.transfer_operation_id == row.id))
        withdrawals.move(payout, PayoutEvent.SEND, now=market.now)
        row.first_sent_at = market.now
        refusal = ProviderRefused(provider_code="account_invalid", reason="No such destination")
        failures.refused(session, row.id, refusal=refusal, now=market.now)

    market.database.run(refused)
    press(market, DEBT)
    market.work()
    rows = [each for each in market.all(Payout) if each.milestone_id == second.milestone]
    assert [(each.status, each.amount_minor) for each in rows] == [
        ("CANCELED", 130_000),
        ("IN_TRANSIT", 30_000),
    ]
    assert market.order(second) == {"released": 130_000}
    market.lawful()


def test_a_transfer_that_was_sent_is_left_alone(market: Market) -> None:
    """Nobody knows yet what came of it."""
    second, held = waiting(market, 60_000)
    lift(market, held)
    (call,) = [each for each in market.operations("TRANSFER") if each.milestone_id == second.milestone]

    def sent(session: Session) -> None:
        session.get_one(OutgoingOperation, call.id).first_sent_at = market.now

    market.database.run(sent)
    assert plan(market).rows == ()
    with pytest.raises(NothingToSetOff):
        press(market, 60_000)
    market.work()
    assert market.order(second) == {"released": 60_000}


def test_what_stops_a_release_stops_it_too_and_says_so(market: Market) -> None:
    waiting(market, 60_000)
    found = plan(market)
    assert (found.total.minor, found.waits.minor) == (0, 60_000)
    with pytest.raises(NothingToSetOff, match=r"A report came in\."):
        press(market, 60_000)
    assert market.books()["receivable_payee"] == DEBT
    market.lawful()


def test_what_instalments_put_off_is_not_set_off(market: Market) -> None:
    waiting(market, 60_000, by_hand=True)
    market.act(
        repayment_plans.agree,
        market.as_staff("fay"),
        party_id=market.payee_id,
        instalments=rules.equal(usd(DEBT), count=2, first=market.now.date(), every=Every.MONTH),
        reason="They called.",
    )
    assert plan(market).total.is_zero
    with pytest.raises(
        NothingToSetOff, match=r"by instalments, and none of it is due now\. To set it off now, end the plan"
    ):
        press(market, 60_000)


def test_another_amount_than_was_shown_is_refused_and_nothing_is_booked(market: Market) -> None:
    second, _ = waiting(market, 60_000, by_hand=True)
    with pytest.raises(SetOffChanged, match=r"\$600\.00 can be set off now, and \$599\.99 was shown"):
        press(market, 59_999)
    assert market.order(second) == {"payable": 60_000}


def test_only_finance_does_it_with_a_reason_and_a_fresh_sign_in(market: Market) -> None:
    waiting(market, 60_000, by_hand=True)
    for who in ("mia", "cora", "ada"):
        with pytest.raises(NotPermitted):
            press(market, 60_000, by=who)
    with pytest.raises(ReasonMissing):
        press(market, 60_000, reason=" ")
    fay = market.as_staff("fay")
    market.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        market.act(set_offs.set_off, fay, party_id=market.payee_id, amount=usd(60_000), reason="Agreed.")
    press(market, 60_000)
    market.lawful()


def test_the_page_shows_both_sides_and_what_remains_and_sets_it_off(market: Market, tmp_path: Path) -> None:
    second, _ = waiting(market, 60_000, by_hand=True)
    serve(market, tmp_path)
    for page, where in (
        ("receivables", {"payee": market.payee_id}),
        ("party_statement", {"id": market.payee_id}),
    ):
        assert "Set off $600.00" not in labels(visit(market, "cora", page, **where))
        app = visit(market, "fay", page, **where)
        assert "Set off $600.00" in labels(app)
        said = words(app)
        assert "Of $1,000.00 owed, $600.00 is settled and $400.00 stays owed" in said
        assert "of $600.00 with us, $0.00 stays payable" in said
    app.button(key=f"set-off-press-{market.payee_id}-USD-60000").click().run()
    assert "Give a reason" in words(app)
    assert market.order(second) == {"payable": 60_000}
    app.text_input(key=f"set-off-reason-{market.payee_id}-USD").set_value("Agreed on the phone").run()
    app.button(key=f"set-off-press-{market.payee_id}-USD-60000").click().run()
    assert not app.exception
    assert "$600.00 is set off." in words(app)
    assert market.order(second) == {"released": 60_000}
    assert "Nothing that is payable to the payee is with us." in words(
        visit(market, "fay", "receivables", payee=market.payee_id)
    )


def test_what_can_be_set_off_is_read_in_as_many_statements_for_ten_debts_as_for_one(market: Market) -> None:
    waiting(market, 60_000, by_hand=True)
    with counted(market.database) as one:
        market.read(lambda session: shown.of_debts(session, {(market.payee_id, "USD"): usd(DEBT)}))
    many = {(market.payee_id + each, "USD"): usd(DEBT) for each in range(10)}
    with counted(market.database) as ten:
        found = market.read(lambda session: shown.of_debts(session, many))
    assert len(ten) == len(one)
    assert {each for each in found.values() if each.is_positive} == {usd(60_000)}


def test_the_table_says_which_debts_can_be_set_off_now_and_shows_those_alone(
    market: Market, tmp_path: Path
) -> None:
    _, held = waiting(market, 60_000)
    serve(market, tmp_path)

    def cells(**where: str) -> list[str | None]:
        (grid,) = [each.value for each in visit(market, "fay", "receivables", **where).dataframe]
        return list(grid["set_off"])

    assert cells() == [""], "a hold stops it"
    stopped = words(visit(market, "fay", "receivables", **{"set-off": "true"}))
    assert "No debt can be set off now" in stopped
    assert "$1,000.00" in stopped, "what is owed altogether stays on top"
    lift(market, held)
    assert cells() == ["$600.00"]
    assert "$0.00 over 90 days · $600.00 can be set off now" in words(visit(market, "fay", "receivables"))
    assert cells(**{"set-off": "true"}) == ["$600.00"]


@pytest.mark.parametrize(
    ("with_us", "said"),
    [(60_000, "payable to the payee is with us"), (DEBT, "owes nothing of this debt any more")],
)
def test_a_tab_that_was_left_open_says_that_the_debt_was_settled_meanwhile(
    market: Market, tmp_path: Path, with_us: int, said: str
) -> None:
    """Finance went on from a warning, and the page was drawn again without a word."""
    waiting(market, with_us, by_hand=True)
    serve(market, tmp_path)
    field, button = f"set-off-reason-{market.payee_id}-USD", f"set-off-press-{market.payee_id}-USD-{with_us}"
    one, two = (visit(market, "fay", "receivables", payee=market.payee_id) for _ in range(2))
    one.text_input(key=field).set_value("Agreed on the phone").run()
    two.text_input(key=field).set_value("Agreed by e-mail").run()
    two.button(key=button).click().run()
    assert "This was changed in another tab" in words(two)
    one.button(key=button).click().run()
    next(each for each in two.button if each.label == "Continue anyway").click().run()
    assert not two.exception
    assert confirm.LOST in words(two)
    assert said in words(two)
    two.run()
    assert confirm.LOST not in words(two)


def test_a_press_for_one_amount_sets_no_other_amount_off(market: Market, tmp_path: Path) -> None:
    second, _ = waiting(market, 60_000, by_hand=True)
    serve(market, tmp_path)
    app = visit(market, "fay", "receivables", payee=market.payee_id)
    app.text_input(key=f"set-off-reason-{market.payee_id}-USD").set_value("Agreed on the phone").run()
    given_up = market.act(
        write_offs.propose,
        market.as_staff("fay"),
        party_id=market.payee_id,
        amount=usd(50_000),
        reason="Poor.",
    )
    market.act(write_offs.approve, market.as_staff("ada"), write_off_id=given_up.id, reason="Yes.")
    app.button(key=f"set-off-press-{market.payee_id}-USD-60000").click().run()
    assert confirm.LOST in words(app)
    assert market.order(second) == {"payable": 60_000}
    assert "Set off $500.00" in labels(app)


def test_the_payees_statement_shows_the_payment_reduced_and_the_debt_reduced(
    market: Market, tmp_path: Path
) -> None:
    """The balance is what is payable less what is owed, so it stays as it is: both are shown all the same."""
    waiting(market, 30_000, by_hand=True)
    (before,) = of_payee(market)
    assert "Set-off" not in {each.what.partition(":")[0] for each in before.movements}
    press(market, 30_000)
    (after,) = of_payee(market)
    reduced = after.movements[len(before.movements) :]
    assert after.movements[: len(before.movements)] == before.movements
    assert [(each.what, each.amount) for each in reduced] == [
        ("Set-off: payment reduced", usd(-30_000)),
        ("Set-off: debt reduced", usd(30_000)),
    ]
    assert [each.balance for each in reduced] == [before.closing - usd(30_000), before.closing]
    assert after.closing == before.closing
    rows = [row.cells for row in party_statements.sheet(after).rows]
    assert [row[2] for row in rows[-3:-1]] == ["Set-off: payment reduced", "Set-off: debt reduced"]
    serve(market, tmp_path)
    seen = visit(market, "fay", "party_statement", id=market.payee_id).dataframe[0].value
    assert list(seen["what"])[-2:] == ["Set-off: payment reduced", "Set-off: debt reduced"]


def of_payee(market: Market) -> list[PartyStatement]:
    period = Period(FIRST, market.now.date())
    return market.read(lambda session: party_statements.statements(session, market.payee_id, period))
