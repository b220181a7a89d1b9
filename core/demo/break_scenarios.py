"""What finance finds in the morning: money that moved at Stripe by hand, twice, or in another currency.

And what is done about it. The platform pays itself once a month, too.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from core.actions.reconciliation import breaks, stripe_differences, suspense
from core.demo.project_run import Wait
from core.demo.world import World
from core.processes import reconciliation, stripe_statements
from core.records import BalanceTransaction, Break, OutgoingOperation, Party, Refund
from core.rules.breaks import BreakClass, BreakStatus
from core.rules.parties import PartyRole
from core.rules.permissions import SYSTEM, Role
from core.rules.reconciliation import StripeBook
from core.rules.refunds import RefundStatus
from core.rules.suspense import SettledAs

PAID_OUT = 400_00
BY_HAND = 40_00
RESTATED = (35, -20, 55)  # in three months, of a fee that was booked
READ_AGAIN = stripe_statements.OVERLAP[StripeBook.LINES] - timedelta(days=1)


def platform_payouts(world: World) -> Wait:
    """A part of what the platform earned goes to its bank, on the twentieth day and a month later."""
    yield timedelta(days=20)
    for _ in range(2):
        _at_stripe(world, "payouts", amount=PAID_OUT, currency="usd")
        yield timedelta(days=30)
    _at_stripe(world, "payouts", amount=PAID_OUT, currency="usd")


def restated_fees(world: World) -> Wait:
    """Now and then Stripe corrects the fee of a payment that is booked: two people book the difference."""
    yield timedelta(days=26)
    for more in RESTATED:
        yield from restated(world, more)
        yield timedelta(days=21)


def restated(world: World, more: int) -> Wait:
    """Of the newest payment, if it is still read."""
    charged = _read(
        world,
        select(BalanceTransaction)
        .where(
            BalanceTransaction.kind == "charge",
            BalanceTransaction.currency == "USD",
            BalanceTransaction.created_at > world.now - READ_AGAIN,
        )
        .order_by(BalanceTransaction.created_at.desc()),
    )
    if charged is None:
        return
    world.sandbox.set_clock(world.now)
    world.sandbox.amend(charged.id, fee=charged.fee + more)
    reconciliation.run(world.desk, SYSTEM, payees=False)
    of_its_fee = Break.class_ == BreakClass.FEE, Break.transaction_id == charged.id
    found = _read(world, select(Break).where(Break.status == BreakStatus.OPEN, *of_its_fee))
    if found is None:
        return
    analyst = world.staff(world.staff_with(Role.FINANCE)[-1])
    items = world.act(
        stripe_differences.explain,
        analyst,
        break_id=found.id,
        settled_as=SettledAs.PROCESSOR_FEE,
        reason="Stripe's notice of a corrected card fee names this payment.",
    )
    yield timedelta(hours=4)
    second = world.staff(world.staff_with(Role.ADMINISTRATOR)[0])
    numbers = [each.id for each in items]
    world.act(suspense.approve, second, item_ids=numbers, reason="Held against Stripe's notice.")


def left_open(world: World) -> Wait:
    """A reserve, a transfer by hand, a payment booked twice, a refund in the wrong currency, and this night's."""
    line = world.sandbox.line
    yield max(timedelta(0), world.ends - world.now - timedelta(days=9))
    world.sandbox.set_clock(world.now)
    line("reserve_hold", -150_00, "USD")
    if payee := _read(
        world,
        select(Party.stripe_account)
        .where(Party.role == PartyRole.PAYEE, Party.stripe_account.is_not(None))
        .order_by(Party.id),
    ):
        _at_stripe(world, "transfers", amount=BY_HAND, currency="usd", destination=payee)
    if booked := _read(
        world,
        select(BalanceTransaction)
        .where(BalanceTransaction.kind == "charge", BalanceTransaction.currency == "USD")
        .order_by(BalanceTransaction.created_at.desc()),
    ):
        line("charge", booked.amount, booked.currency, source=booked.source)
    if refund := _read(
        world,
        select(Refund).where(Refund.currency != "USD", Refund.stripe_refund.is_not(None)).order_by(Refund.id),
    ):
        line("refund", -25_00, "USD", source=refund.stripe_refund)
    yield max(timedelta(0), world.ends - world.now - timedelta(hours=20))
    _work(world)
    yield max(timedelta(0), world.ends - world.now - timedelta(hours=3))
    world.sandbox.set_clock(world.now)
    line("payment", 120_00, "USD")
    unheard_of(world)


def unheard_of(world: World) -> None:
    """From now on no webhook arrives, and a refund fails: its money is back on the balance. This night's run finds the
    line, and Stripe does not say what it is of: whoever asks again hears it. And of a payment Stripe states a higher
    fee."""
    world.sandbox.webhooks(off=True)
    if refund := _read(
        world,
        select(Refund)
        .join(OutgoingOperation, OutgoingOperation.provider_id == Refund.stripe_refund)
        .where(OutgoingOperation.currency == Refund.currency, Refund.status == RefundStatus.SUCCEEDED)
        .order_by(Refund.id.desc()),
    ):
        world.sandbox.move_refund(refund.stripe_refund, "failed", reason="expired_or_canceled_card")
        world.sandbox.fault("500", method="GET", path=f"/v1/refunds/{refund.stripe_refund}")
    if booked := _read(
        world,
        select(BalanceTransaction)
        .where(
            BalanceTransaction.kind.in_(("charge", "payout", "topup")),
            BalanceTransaction.created_at > world.now - READ_AGAIN,
        )
        .order_by(BalanceTransaction.kind, BalanceTransaction.created_at.desc()),
    ):
        world.sandbox.amend(booked.id, fee=booked.fee + 40)


def _work(world: World) -> None:
    """Some have an owner, one waits."""
    first, second = (world.staff_with(Role.FINANCE) * 2)[:2]
    finance = world.staff(first)
    found = _all(world, select(Break).where(Break.status == BreakStatus.OPEN).order_by(Break.id))
    for row in found:
        if row.class_ in (BreakClass.DUPLICATE, BreakClass.CURRENCY, BreakClass.MADE_AT_STRIPE):
            owner = second if row.class_ == BreakClass.DUPLICATE else first
            world.act(
                breaks.assign, finance, break_id=row.id, owner_id=owner, reason="Shared out in the morning."
            )
        if row.class_ == BreakClass.UNKNOWN and row.theirs == -150_00:
            until = datetime.combine((world.ends + timedelta(days=5)).date(), time(), UTC)
            world.act(
                breaks.remark,
                finance,
                break_id=row.id,
                words="Stripe holds it until the account is reviewed.",
            )
            world.act(
                breaks.wait, finance, break_id=row.id, until=until, reason="The review is over by then."
            )


def _at_stripe(world: World, what: str, **asked: Any) -> None:
    """Somebody does this on Stripe's own pages."""
    world.sandbox.set_clock(world.now)
    world.sandbox.session.post(f"{world.sandbox.url}/v1/{what}", data=asked, timeout=20)


def _read(world: World, wanted: Any) -> Any:
    with world.desk.database.reading() as session:
        return session.scalars(wanted.limit(1)).first()


def _all(world: World, wanted: Any) -> list[Any]:
    with world.desk.database.reading() as session:
        return list(session.scalars(wanted))
