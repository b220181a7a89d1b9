"""The month's end in the demo: on the second morning finance reconciles, closes the month before, and posts by hand."""

from __future__ import annotations

from datetime import timedelta

from core import audit
from core.actions.periods import closing, journal_reversals, manual_journals
from core.demo.project_run import Wait
from core.demo.world import World
from core.ledger import accounts
from core.ledger.journals import credit, debit
from core.money import Money
from core.processes import reconciliation
from core.rules.periods import DAY, PeriodKind, PeriodNotReady
from core.rules.permissions import SYSTEM, Role

EXPLAINED = "Seen at Stripe and asked about; finance settles it as soon as the answer is here."


def month_ends(world: World) -> Wait:
    """Every month that ends within the demo's time is closed."""
    while True:
        yield _next_month(world)
        reconciliation.run(world.desk, SYSTEM)
        _close(world)
        yield from _by_hand(world)


def _next_month(world: World) -> timedelta:
    """Until nine o'clock of the second day of the next month."""
    first = (world.now.replace(day=1) + 31 * DAY).replace(day=2, hour=9, minute=0, second=0, microsecond=0)
    return first - world.now


def _by_hand(world: World) -> Wait:
    """A fee moved to the account where it belongs, by two; the first is reversed, the last waits for an answer."""
    last = world.ends - world.now < timedelta(days=35)
    if last:  # nothing waits longer than two weeks for its second person
        yield max(timedelta(0), world.ends - world.now - timedelta(days=2))
    head, analyst = (world.staff(each) for each in world.staff_with(Role.FINANCE)[:2])
    fee = Money(15_00, "USD")
    lines = [debit(accounts.DISPUTE_FEES, fee), credit(accounts.PROCESSOR_FEES, fee)]
    month = f"{world.now.replace(day=1) - DAY:%B}"
    said = {
        "memo": f"Chargeback fee of {month}, billed as a processing fee",
        "reason": "Stripe's invoice lists it among the processing fees.",
    }
    row = world.act(manual_journals.propose, analyst, lines=lines, posted_on=world.now.date(), **said)
    if last:
        return
    yield timedelta(hours=3)
    head = world.staff(head.id or 0)
    world.act(manual_journals.approve, head, number=row.id, reason="Seen on the invoice.")
    if world.ends - world.now < timedelta(days=65):
        return
    yield timedelta(days=2)
    analyst, day = world.staff(analyst.id or 0), world.now.date()
    why = "Stripe has corrected the invoice: it was a processing fee."
    back = world.act(journal_reversals.propose, analyst, number=row.id, posted_on=day, reason=why)
    yield timedelta(hours=2)
    world.act(manual_journals.approve, world.staff(head.id or 0), number=back.id, reason="Right.")


def _close(world: World, explanation: str = "") -> None:
    """What is open in suspense, or a break, is explained. A check that fails cannot be: then the month stays open."""
    desk, last = world.desk, (world.now.replace(day=1) - DAY).date()
    signer = audit.desk_signer(desk.database, desk.settings.home, now=world.now)
    head = world.staff(world.staff_with(Role.FINANCE)[0])
    try:
        world.act(
            closing.close, head, kind=PeriodKind.MONTH, day=last, signer=signer, explanation=explanation
        )
    except PeriodNotReady:
        if not explanation:
            _close(world, EXPLAINED)
