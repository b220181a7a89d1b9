"""Why a person may not be erased now: all reasons at once, each with where to look."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from core.clock import utc
from core.money import Money, in_order
from core.rules.refusal_reasons import Block


def _of_each(question: str) -> TextClause:
    """The same of everybody in `:parties`, in one statement."""
    return text(
        "select asked.party, found.* from unnest(cast(:parties as bigint[])) as asked (party)"
        f" cross join lateral ({question.replace(':party', 'asked.party')}) found"
    )


HOLD = _of_each(
    """
    select h.placed_at, h.reason, s.name as placed_by from legal_holds h join staff s on s.id = h.placed_by
    where h.party_id = :party and h.lifted_at is null
    """
)
# What is counted, of this person: with a code, one of it and several of it.
UNDER_WAY = _of_each(
    """
    with theirs as (
        select m.id, m.project_id from milestones m join projects p on p.id = m.project_id
        where :party in (p.payer_id, p.payee_id)
    )
    select 'project_open' as code, 'project is open' as one, 'projects are open' as many,
           array_agg('P-' || p.id order by p.id) as which
    from projects p where :party in (p.payer_id, p.payee_id) and p.status = 'ACTIVE'
    union all select 'case_open', 'case is open', 'cases are open',
           array_agg('D-' || c.id order by c.id)
    from cases c join theirs on theirs.id = c.milestone_id where c.status not in ('RESOLVED', 'WITHDRAWN')
    union all select 'hold_stands', 'hold stands', 'holds stand', array_agg('H-' || h.id order by h.id) from (
        select h.id from holds h join theirs on theirs.id = h.milestone_id where h.released_at is null
        union all select h.id from payee_holds h where h.party_id = :party and h.released_at is null) h
    union all select 'chargeback_open', 'chargeback is open', 'chargebacks are open',
           array_agg('CB-' || b.id order by b.id)
    from chargebacks b join theirs on theirs.id = b.milestone_id where b.closed_at is null
    union all select 'payout_under_way', 'payout is under way', 'payouts are under way',
           array_agg(w.id::text order by w.id)
    from payouts w where w.status not in ('PAID', 'CANCELED') and (
        w.party_id = :party or w.milestone_id in (select id from theirs))
    union all select 'refund_under_way', 'refund is under way', 'refunds are under way',
           array_agg(f.id::text order by f.id)
    from refunds f join theirs on theirs.id = f.milestone_id
    where f.status not in ('SUCCEEDED', 'CANCELED', 'CHARGED_BACK', 'RETURNED')
    union all select 'return_under_way', 'refund by another way waits for its approval',
           'refunds by another way wait for their approval', array_agg(n.id::text order by n.id)
    from refund_returns n join refunds f on f.id = n.refund_id join theirs on theirs.id = f.milestone_id
    where n.status = 'PROPOSED'
    union all select 'duplicate_under_way', 'second payment is on its way back',
           'second payments are on their way back',
           array_agg(d.id::text order by d.id)
    from duplicate_payments d join theirs on theirs.id = d.milestone_id where d.status in ('RETURNING', 'FAILED')
    union all select 'operation_under_way', 'request to Stripe is under way', 'requests to Stripe are under way',
           array_agg(o.id::text order by o.id)
    from outgoing_operations o where o.status in ('QUEUED', 'SENDING', 'BLOCKED', 'REVIEW') and (
        o.party_id = :party or o.milestone_id in (select id from theirs))
    union all select 'charge_under_way', 'payment is under way', 'payments are under way',
           array_agg(k.id::text order by k.id)
    from charges k join theirs on theirs.id = k.milestone_id where k.status not in ('SUCCEEDED', 'FAILED')
    union all select 'risk_review_open', 'risk review is open', 'risk reviews are open',
           array_agg(v.id::text order by v.id)
    from risk_reviews v join theirs on theirs.id = v.milestone_id where v.settled_at is null
    union all select 'report_open', 'report is open', 'reports are open',
           array_agg(g.id::text order by g.id)
    from reports g where g.settled_at is null and (
        g.subject_id = :party or g.project_id in (select project_id from theirs))
    union all select 'email_waiting', 'e-mail to them waits to be sent', 'e-mails to them wait to be sent',
           array_agg('L-' || n.id order by n.id)
    from notifications n where n.party_id = :party and n.status = 'QUEUED'
    union all select 'suspense_open', 'amount in suspense is not explained', 'amounts in suspense are not explained',
           array_agg(i.id::text order by i.id)
    from suspense_items i join theirs on theirs.id = i.milestone_id where i.status = 'OPEN'
    """
)
# The ledger says what is held, owed to them and owed by them; what is the platform's own is not theirs.
MONEY = _of_each(
    """
    select b.line, b.currency, sum(b.balance)::bigint as minor from account_balances b
    where b.balance <> 0 and (
        b.line in ('payee_payable', 'receivable_payee') and b.object_id = :party
        or b.line in ('held', 'refund_payable', 'deferred_platform_fee') and b.object_id in (
            select m.id from milestones m join projects p on p.id = m.project_id
            where :party in (p.payer_id, p.payee_id)))
    group by 1, 2
    """
)
SENTENCES = {
    "held": ("funds_held", "Client funds are held: {amounts}."),
    "deferred_platform_fee": ("fee_deferred", "A platform fee is not earned yet: {amounts}."),
    "refund_payable": ("refund_owed", "A refund is owed to the payer: {amounts}."),
    "payee_payable": ("payout_owed", "Money is owed to them: {amounts}."),
    "receivable_payee": ("debt_owed", "They owe: {amounts}."),
}
NAMED = 5  # of what there is more than one of


def blocks(session: Session, party_id: int) -> tuple[Block, ...]:
    """Empty where this person can be erased. Whoever erases asks under the party's lock."""
    return of_each(session, [party_id])[party_id]


def of_each(session: Session, party_ids: Collection[int]) -> Mapping[int, tuple[Block, ...]]:
    """The same of several, in as many statements as of one."""
    found: dict[int, list[Block]] = {number: [] for number in party_ids}
    for party_id, block in (
        *_holds(session, party_ids),
        *_under_way(session, party_ids),
        *_money(session, party_ids),
    ):
        found[party_id].append(block)
    return {number: tuple(each) for number, each in found.items()}


Found = Iterator[tuple[int, Block]]


def _holds(session: Session, party_ids: Collection[int]) -> Found:
    for row in session.execute(HOLD, {"parties": list(party_ids)}):
        yield (
            row.party,
            Block(
                "legal_hold",
                f"A legal hold stands since {utc(row.placed_at):%-d %b %Y, %H:%M} UTC, placed by {row.placed_by}: "
                f"{row.reason.rstrip('.')}.",
            ),
        )


def _under_way(session: Session, party_ids: Collection[int]) -> Found:
    for row in session.execute(UNDER_WAY, {"parties": list(party_ids)}):
        if row.which:
            count = len(row.which)
            named = ", ".join(row.which[:NAMED]) + (" …" if count > NAMED else "")
            yield row.party, Block(row.code, f"{count} {row.one if count == 1 else row.many} ({named}).")


def _money(session: Session, party_ids: Collection[int]) -> Found:
    found: dict[tuple[int, str], list[Money]] = {}
    for row in session.execute(MONEY, {"parties": list(party_ids)}):
        found.setdefault((row.party, row.line), []).append(Money(abs(row.minor), row.currency))
    for (party_id, line), amounts in sorted(found.items()):
        code, sentence = SENTENCES[line]
        said = sentence.format(amounts=" and ".join(str(each) for each in in_order(amounts)))
        yield party_id, Block(code, said)
