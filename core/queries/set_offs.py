"""What of a payee's debt can be set off now: money that is payable to them and still with us, milestone by milestone.

It lies there where the payee withdraws by hand, and where a withdrawal was asked for and has certainly not been sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.debts import receivables
from core.ledger.postings import receivable_offset
from core.money import Money
from core.queries import release_blocks
from core.queries.suspense import EntryLeg, legs
from core.rules import holds
from core.rules.references import reference
from core.rules.refusal_reasons import Block

# `loose`: no withdrawal of it was asked for. `unsent`: the withdrawals that `pending_withdrawals.cancel` can cancel.
WAITING = text(
    """
    select o.milestone_id, m.title, o.payable_minor - coalesce(w.asked, 0)::bigint as loose,
           coalesce(w.unsent, 0)::bigint as unsent
    from projects p
    join milestones m on m.project_id = p.id
    join payment_orders o on o.milestone_id = m.id
    left join lateral (
        select sum(y.amount_minor) as asked,
               sum(y.amount_minor) filter (where y.status in ('REQUESTED', 'ADMINISTRATIVE_REVIEW')
                   and (c.first_sent_at is null or c.status = 'REFUSED')) as unsent
        from payouts y join outgoing_operations c on c.id = y.transfer_operation_id
        where y.milestone_id = o.milestone_id and y.stripe_transfer is null and y.status <> 'CANCELED') w on true
    where p.payee_id = :party and o.currency = :currency and o.payable_minor > 0
    order by o.milestone_id
    """
)


@dataclass(frozen=True)
class WaitingMoney:
    """What of one milestone is payable and still with us. `taken` of it would be set off; `blocks`: why nothing is."""

    id: int
    milestone: str
    loose: Money
    unsent: Money
    taken: Money
    blocks: tuple[Block, ...]

    @property
    def reference(self) -> str:
        return reference("milestone", self.id)

    @property
    def amount(self) -> Money:
        return self.loose + self.unsent

    @property
    def left(self) -> Money:
        return self.amount - self.taken

    @property
    def why_not(self) -> str:
        return " ".join(each.sentence for each in self.blocks)


@dataclass(frozen=True)
class SetOff:
    """`owed` by the payee; `most` of it may be set off now, `total` is, from `rows` in the order of milestones.
    `why_none`: why `most` is nothing."""

    party_id: int
    owed: Money
    most: Money
    rows: tuple[WaitingMoney, ...]
    why_none: str

    @property
    def total(self) -> Money:
        return Money.total((each.taken for each in self.rows), self.owed.currency)

    @property
    def waits(self) -> Money:
        return Money.total((each.amount for each in self.rows), self.owed.currency)

    @property
    def why_nothing(self) -> str:
        """The sentence that says why `total` is zero."""
        if not self.rows:
            return "Nothing that is payable to the payee is with us."
        if self.most.is_zero:
            return self.why_none
        return " ".join(f"{each.reference}: {each.why_not}" for each in self.rows if each.blocks)

    @property
    def entry(self) -> list[EntryLeg]:
        """What would be booked, all milestones together."""
        return legs(receivable_offset(key="shown", party_id=self.party_id, amount=self.total, cause={}))


def of_payee(session: Session, party_id: int, currency: str) -> SetOff:
    """As it stands now. Holds, cases and chargebacks stop it as they stop a release."""
    most = rest = receivables.to_set_off(session, party_id, currency)
    found = session.execute(WAITING, {"party": party_id, "currency": currency}).all()
    facts = release_blocks.facts(session, [each.milestone_id for each in found]) if found else {}
    rows = []
    for each in found:
        loose, unsent = Money(each.loose, currency), Money(each.unsent, currency)
        blocks = holds.blocking(facts[each.milestone_id])
        taken = Money.zero(currency) if blocks else min(rest, loose + unsent)
        rest -= taken
        if (loose + unsent).is_positive:
            rows.append(WaitingMoney(each.milestone_id, each.title, loose, unsent, taken, blocks))
    owed = receivables.owed(session, party_id, currency)
    none = receivables.why_none(session, party_id, currency) if most.is_zero and owed.is_positive else ""
    return SetOff(party_id, owed, most, tuple(rows), none)
