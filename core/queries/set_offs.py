"""What of a payee's debt can be set off now: money that is payable to them and still with us, milestone by milestone.

It lies there where the payee withdraws by hand, and where a withdrawal was asked for and has certainly not been sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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

DebtKey = tuple[int, str]
"""Whose debt, and in which currency."""
# `loose`: no withdrawal of it was asked for. `unsent`: the withdrawals that `pending_withdrawals.cancel` can cancel.
WAITING = text(
    """
    select p.payee_id, o.currency, o.milestone_id, m.title, o.payable_minor - coalesce(w.asked, 0)::bigint as loose,
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
    where p.payee_id = any(:parties) and o.payable_minor > 0
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
    most = receivables.to_set_off(session, party_id, currency)
    rows = _taken({(party_id, currency): most}, _waiting(session, [party_id]))[party_id, currency]
    owed = receivables.owed(session, party_id, currency)
    none = receivables.why_none(session, party_id, currency) if most.is_zero and owed.is_positive else ""
    return SetOff(party_id, owed, most, rows, none)


def of_debts(session: Session, due: Mapping[DebtKey, Money]) -> dict[DebtKey, Money]:
    """What can be set off now of each of these debts, of which so much is due: the total that `of_payee` has. Four
    statements, however many debts."""
    parties = sorted({party_id for (party_id, _), amount in due.items() if amount.is_positive})
    if not parties:
        return {key: Money.zero(key[1]) for key in due}
    coming = receivables.on_its_way(session, parties)
    most = {key: receivables.may_be_set_off(amount, coming[key]) for key, amount in due.items()}
    found = _taken(most, _waiting(session, parties))
    return {key: Money.total((each.taken for each in rows), key[1]) for key, rows in found.items()}


def _waiting(session: Session, party_ids: Sequence[int]) -> list[tuple[DebtKey, WaitingMoney]]:
    """All that is payable to these payees and still with us, in the order of milestones; nothing is taken yet."""
    found = session.execute(WAITING, {"parties": list(party_ids)}).all()
    facts = release_blocks.facts(session, [each.milestone_id for each in found]) if found else {}
    rows = []
    for each in found:
        loose, unsent = Money(each.loose, each.currency), Money(each.unsent, each.currency)
        blocks = holds.blocking(facts[each.milestone_id])
        row = WaitingMoney(each.milestone_id, each.title, loose, unsent, Money.zero(each.currency), blocks)
        rows.append(((each.payee_id, each.currency), row))
    return [(key, row) for key, row in rows if row.amount.is_positive]


def _taken(
    most: Mapping[DebtKey, Money], waiting: Sequence[tuple[DebtKey, WaitingMoney]]
) -> dict[DebtKey, tuple[WaitingMoney, ...]]:
    """Of each debt its milestones, and how much of each is taken until `most` is reached."""
    rest, rows = dict(most), {key: list[WaitingMoney]() for key in most}
    for key, row in waiting:
        if key in rest:
            taken = Money.zero(key[1]) if row.blocks else min(rest[key], row.amount)
            rest[key] -= taken
            rows[key].append(replace(row, taken=taken))
    return {key: tuple(each) for key, each in rows.items()}
