"""Other courses of money: cards that decline, payments that come twice, what comes back, chargebacks, odd lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from core.actions.funding import fund
from core.actions.operations.operation_keys import idempotency_key
from core.actions.parties import payment_method_setups
from core.actions.payouts import method_offers
from core.actions.reconciliation import suspense
from core.actions.refunds import outside_refunds
from core.demo.dispute_scenarios import agree, mediated, rule, study, to_mediation
from core.demo.project_run import ProjectRun, Wait
from core.demo.standard_flow import accept, smooth, submit
from core.demo.world import World
from core.money import Money
from core.policy import WithdrawalMethod
from core.processes import provider_accounts
from core.processes.outgoing import dispatch
from core.records import (
    OutgoingOperation,
    Party,
    Payout,
    Refund,
    SuspenseItem,
)
from core.rules.approvals import DecisionStatus
from core.rules.grounds import DecisionOutcome
from core.rules.operations import OperationKind
from core.rules.payouts import PayoutStatus
from core.rules.permissions import Actor, Role
from core.rules.refunds import ReturnWay
from core.rules.suspense import SettledAs, SuspenseStatus

# Not the account of before, and in dollars Stripe has only one test account that takes money: unless two people refuse
# it first, the payout fails once its wait is over, as to an account that a stranger gave or that was mistyped.
NEW_BANK = "btok_us_noAccount"


def one_of(run: ProjectRun, role: Role, number: int = 0) -> Actor:
    return run.world.staff(run.world.staff_with(role)[number])


# Cards


def recovered(run: ProjectRun, milestone_id: int) -> Wait:
    """Declined once; two hours later the desk tries again by itself, and the money is there."""
    run.world.sandbox.fault("declined", method="POST", path="/v1/payment_intents")
    run.act(fund.fund, run.payer, milestone_id=milestone_id)
    yield run.hours(30, 60)
    yield from smooth(run, milestone_id)


def asked(run: ProjectRun, milestone_id: int) -> Wait:
    """The payer's bank asks them; they confirm it some hours later, and the money is there."""
    card = "pm_card_authenticationRequired"
    run.act(fund.fund, run.payer, milestone_id=milestone_id, payment_method=card)
    yield run.hours(1, 5)
    call = run.read(_calls(milestone_id, OperationKind.CHARGE))
    run.world.sandbox.set_clock(run.world.now)
    run.world.sandbox.authenticate(call.provider_id)
    yield run.hours(30, 60)
    yield from smooth(run, milestone_id)


def debited(run: ProjectRun, milestone_id: int) -> Wait:
    """The payer saves a bank account and agrees to debits; it is debited, and its bank answers four days later."""
    run.world.sandbox.set_clock(run.world.now)
    _, setup = provider_accounts.set_up(run.world.desk, run.payer_id)
    account = run.world.sandbox.set_up(setup.id, "pm_usBankAccount_success")
    run.world.desk.database.run(
        lambda session: payment_method_setups.follow(
            session, run.world.desk.payments.set_up_of(setup.id), now=run.world.now
        )
    )
    run.act(fund.fund, run.payer, milestone_id=milestone_id, payment_method=account)
    yield timedelta(days=5)
    yield from smooth(run, milestone_id)


def converted(run: ProjectRun, milestone_id: int) -> Wait:
    """The platform's account stopped settling in pounds after the bid: Stripe converts the payment, it is held all the
    same, and its refund at another day's rate leaves a difference."""
    run.world.sandbox.convert("GBP", "USD", "1.2714")
    run.act(fund.fund, run.payer, milestone_id=milestone_id)
    yield run.hours(20, 50)
    run.world.sandbox.convert("GBP", "USD", "1.2891")
    yield from mediated(DecisionOutcome.FULL_REFUND)(run, milestone_id)


def given_up(run: ProjectRun, milestone_id: int) -> Wait:
    """Declined five times over three days; then the payer pays with another card."""
    bad = "pm_card_chargeDeclinedInsufficientFunds"
    run.act(fund.fund, run.payer, milestone_id=milestone_id, payment_method=bad)
    yield timedelta(days=5)
    run.act(fund.fund, run.payer, milestone_id=milestone_id, payment_method="pm_card_visa")
    yield run.hours(30, 60)
    yield from smooth(run, milestone_id)


def paid_twice(run: ProjectRun, milestone_id: int) -> Wait:
    """Stripe takes the same payment a second time; the desk finds it and returns it."""
    call = run.read(_calls(milestone_id, OperationKind.CHARGE))
    run.world.sandbox.set_clock(run.world.now)
    amount, key = Money(call.amount_minor, call.currency), idempotency_key(call.key, 99)
    run.world.desk.payments.charge(call.key, key, amount=amount, **call.payload)
    yield timedelta(days=9)  # until the weekly reconciliation has seen it
    yield from smooth(run, milestone_id)


# Payouts


def payout_fails(run: ProjectRun, milestone_id: int) -> Wait:
    run.world.sandbox.next_payouts({"code": "account_closed"})
    yield from smooth(run, milestone_id)


def payout_returned(run: ProjectRun, milestone_id: int) -> Wait:
    """Paid, returned by the bank days later, another method offered, chosen by the payee, and paid."""
    yield from submit(run, milestone_id)
    good_bank(run)
    run.world.send()  # what waits for anybody else goes first, so that the order is for this payout
    run.world.sandbox.next_payouts({"code": "account_closed", "after_paid": True})
    accept(run, milestone_id)
    run.world.send()
    payout = yield from _payout_in_review(run, milestone_id)
    if payout is None:
        return
    finance = one_of(run, Role.FINANCE)
    methods = [WithdrawalMethod.STANDARD, WithdrawalMethod.INSTANT]
    reason = "The bank has closed the account."
    run.act(method_offers.offer, finance, payout_id=payout.id, methods=methods, reason=reason)
    yield run.hours(6, 30)
    good_bank(run)
    run.act(method_offers.choose, run.payee, payout_id=payout.id, method=WithdrawalMethod.STANDARD)
    yield timedelta(days=4)


def good_bank(run: ProjectRun) -> None:
    """The payee gives another account, one that takes money."""
    account = run.read(select(Party.stripe_account).where(Party.id == run.payee_id))
    mark = f"demo-bank-{run.payee_id}-{run.world.now:%m%d%H%M}"
    run.world.desk.payments.replace_bank(mark, f"{mark}:1", account=account, bank_token="btok_us_verified")


def bank_changed(run: ProjectRun, milestone_id: int) -> Wait:
    """The payee gives another bank account, and what is released to them then waits: staff may decide about it."""
    yield from submit(run, milestone_id)
    yield max(timedelta(0), run.world.ends - run.world.now - timedelta(hours=30))
    another_bank(run)
    accept(run, milestone_id)
    yield timedelta(days=60)


def another_bank(run: ProjectRun) -> None:
    """The payee tells the marketplace of another account; payouts to it wait for the time that policy says."""
    run.world.sandbox.set_clock(run.world.now)
    provider_accounts.replace_bank(run.world.desk, run.payee_id, asked_as="demo", bank_token=NEW_BANK)


def _payout_in_review(run: ProjectRun, milestone_id: int) -> Any:
    for _ in range(14):
        yield timedelta(days=1)
        _look_at_payouts(run, milestone_id)
        payout = run.read(select(Payout).where(Payout.milestone_id == milestone_id))
        if payout is not None and payout.status == PayoutStatus.ADMINISTRATIVE_REVIEW:
            return payout
    return None


def _look_at_payouts(run: ProjectRun, milestone_id: int) -> None:
    """What Stripe's news would bring: the present state of the payout."""
    world, call = run.world, run.read(_calls(milestone_id, OperationKind.PAYOUT))
    if call is None or call.provider_id is None:
        return
    world.sandbox.set_clock(world.now)
    seen = world.desk.payments.payout_by_id(call.provider_id, account=call.payload["account"])
    world.desk.database.run(lambda session: dispatch.settle(session, call.id, snapshot=seen, now=world.now))


# Refunds


def refund_back(run: ProjectRun, milestone_id: int) -> Wait:
    """Refunded by decision; the card is closed, and the refund comes back to a debt that is open again."""
    yield from to_mediation(run, milestone_id, no_show=True)
    yield from study(run, milestone_id)
    decision = rule(run, milestone_id, DecisionOutcome.FULL_REFUND)
    if decision.status == DecisionStatus.AWAITING_APPROVAL:
        yield run.hours(2, 20)
        agree(run, decision)
    yield timedelta(days=2)
    refund = run.read(select(Refund).where(Refund.milestone_id == milestone_id))
    if refund is None or refund.stripe_refund is None:
        return
    world = run.world
    world.sandbox.move_refund(refund.stripe_refund, "failed", reason="expired_or_canceled_card")
    seen = world.desk.payments.refund_by_id(refund.stripe_refund)
    number = refund.operation_id
    world.desk.database.run(lambda session: dispatch.settle(session, number, snapshot=seen, now=world.now))
    yield timedelta(days=1)


def refund_returned(run: ProjectRun, milestone_id: int) -> Wait:
    """The same, and then it goes from the platform's bank: one person says so, another confirms."""
    yield from refund_back(run, milestone_id)
    refund = run.read(select(Refund).where(Refund.milestone_id == milestone_id))
    said = run.act(
        outside_refunds.propose,
        one_of(run, Role.FINANCE, 1),
        refund_id=refund.id,
        way=ReturnWay.BANK_TRANSFER,
        reference=f"WT-{7300 + run.plan.number}",
        reason="The card has expired; the customer gave us an account by telephone.",
    )
    yield run.hours(3, 20)
    run.act(outside_refunds.approve, one_of(run, Role.FINANCE), return_id=said.id)


def _calls(milestone_id: int, kind: str) -> Any:
    wanted = select(OutgoingOperation).where(
        OutgoingOperation.milestone_id == milestone_id, OutgoingOperation.kind == kind
    )
    return wanted.order_by(OutgoingOperation.id.desc())


# Lines that nobody on the desk has caused


def odd_lines(world: World) -> Wait:
    """Stripe keeps a reserve and gives it back, takes a fee, and books something that nobody knows."""
    line = world.sandbox.line
    yield timedelta(days=24)
    _at(world, lambda: line("reserve_hold", -150_00, "USD"))
    yield timedelta(days=16)
    _at(world, lambda: line("reserve_release", 150_00, "USD"))
    _at(world, lambda: line("stripe_fx_fee", -4_17, "EUR"))
    yield timedelta(days=15)
    finance = world.staff(world.staff_with(Role.FINANCE)[1])
    found = _open_items(world)
    if len(found) == 2:
        reason = "Stripe kept a reserve for two weeks and gave it back."
        as_what = SettledAs.EACH_OTHER
        world.act(suspense.propose, finance, item_ids=found, settled_as=as_what, reason=reason)
        yield timedelta(hours=5)
        head = world.staff(world.staff_with(Role.FINANCE)[0])
        world.act(suspense.approve, head, item_ids=found, reason="Both lines seen on the statement.")
    yield max(timedelta(0), world.ends - world.now - timedelta(days=10))
    _at(world, lambda: line("payment", 86_00, "USD"))
    _at(world, lambda: line("contribution", -12_50, "USD"))
    yield max(timedelta(0), world.ends - world.now - timedelta(hours=20))
    if found := _open_items(world, SuspenseItem.amount_minor == 86_00):
        reason = "Our own test of the new payment page, from the platform's bank account."
        as_what = SettledAs.OWN_MONEY
        world.act(suspense.propose, finance, item_ids=found, settled_as=as_what, reason=reason)


def _at(world: World, write: Callable[[], object]) -> None:
    world.sandbox.set_clock(world.now)
    write()


def _open_items(world: World, *those: ColumnElement[bool]) -> list[int]:
    with world.desk.database.reading() as session:
        wanted = select(SuspenseItem.id).where(SuspenseItem.status == SuspenseStatus.OPEN, *those)
        return list(session.scalars(wanted.order_by(SuspenseItem.id)))
