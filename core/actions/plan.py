"""The plan of a decision: exactly what will be posted, asked of Stripe and written to both parties.

It is computed from the case as it stands, and its canonical JSON (RFC 8785) has a hash. What a person confirms or
approves is that hash; whatever changes in the milestone, the ticket, the evidence or the policy changes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import letters
from core.actions import payouts, receivables, refunds, release
from core.actions.dossier import Dossier
from core.actions.keys import idempotency_key, operation_key
from core.errors import DeskError
from core.ledger import accounts, postings
from core.ledger.journal import Journal
from core.money import Money, stripe_exact
from core.records import Decision, Evidence, Message, Ticket
from core.rules import grounds, splits
from core.rules.grounds import DecisionOutcome, Ground, Reference

FORMAT = "escrow-desk/plan/1"
REASONS_LEAST = 20


class ReasonsTooShort(DeskError):
    """Write the reasons out: at least {least} characters. Both parties and any reviewer will read them."""


class CitationUnknown(DeskError):
    """Evidence {evidence} does not belong to this case and cannot be cited."""


@dataclass(frozen=True)
class Draft:
    """What the mediator chose. `release` is needed for a partial release only."""

    ticket_id: int
    outcome: DecisionOutcome
    ground: Ground
    reasons: str
    release: Money | None = None
    references: frozenset[Reference] = frozenset()
    evidence_ids: frozenset[int] = frozenset()
    override: bool = False


@dataclass(frozen=True)
class Plan:
    content: dict[str, Any]
    split: splits.Split
    journal: Journal
    key: str

    @property
    def canonical(self) -> bytes:
        return rfc8785.dumps(self.content)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical).hexdigest()


def split_of(dossier: Dossier, draft: Draft) -> splits.Split:
    """How the held money is divided; pure but for the dossier it reads."""
    order = dossier.order
    held, fee = dossier.money(order.held_minor), dossier.money(order.platform_fee_minor)
    match draft.outcome:
        case DecisionOutcome.FULL_RELEASE:
            return splits.full_release(held, fee)
        case DecisionOutcome.FULL_REFUND:
            return splits.full_refund(held, fee, draft.ground, dossier.money(order.processing_fee_minor))
    wanted = draft.release or Money.zero(held.currency)
    return splits.partial(held, fee, wanted, dossier.profile.platform_fee_bps)


def make(
    session: Session, dossier: Dossier, ticket: Ticket, draft: Draft, *, maker_id: int, key: str | None = None
) -> Plan:
    """The plan for this draft now. Raises when the draft is not a decision that may be made.

    `key` is that of a decision already recorded, whose plan is computed again.
    """
    _check(dossier, draft)
    split = split_of(dossier, draft)
    key = key or _next_key(session, ticket)
    citations = _citations(session, dossier, ticket, draft)
    cause = {"ticket": ticket.id, "milestone": dossier.milestone.id, "outcome": draft.outcome.value}
    journal = release.split_journal(dossier, split, key=key, cause=cause)
    content = {
        "format": FORMAT,
        "ticket": ticket.id,
        "milestone": dossier.milestone.id,
        "project": dossier.project.id,
        "maker": maker_id,
        "outcome": draft.outcome.value,
        "ground": draft.ground.value,
        "override": draft.override,
        "reasons": draft.reasons,
        "citations": citations,
        **movements(session, dossier, split, key=key, cause=cause),
        "letters": _letters(dossier, draft, split),
        "bindings": {
            "milestone_version": dossier.milestone.version,
            "ticket_version": ticket.version,
            "policy_version": dossier.project.policy_version_id,
            "evidence": _evidence_hashes(session, dossier),
        },
    }
    return Plan(content=content, split=split, journal=journal, key=key)


def movements(
    session: Session, dossier: Dossier, split: splits.Split, *, key: str, cause: dict[str, Any]
) -> dict[str, Any]:
    """What a division moves: amounts, the journal, what is booked later, the exact calls, balances."""
    return {
        "amounts": amounts(dossier, split),
        "journal": _journal(release.split_journal(dossier, split, key=key, cause=cause)),
        "expected": [_journal(each) for each in _expected(session, dossier, split, key)],
        "operations": _operations(session, dossier, split, key),
        "balances": _balances(dossier, split),
    }


def _next_key(session: Session, ticket: Ticket) -> str:
    earlier = session.scalar(
        select(func.count()).select_from(Decision).where(Decision.ticket_id == ticket.id)
    )
    return f"decision.{ticket.id}.{(earlier or 0) + 1}"


def _check(dossier: Dossier, draft: Draft) -> None:
    grounds.check(draft.ground, draft.outcome, delivered=True, override=draft.override)
    if len(draft.reasons.strip()) < REASONS_LEAST:
        raise ReasonsTooShort(least=REASONS_LEAST)
    grounds.require_references(_cited_kinds(draft))


def _cited_kinds(draft: Draft) -> set[str]:
    """The reasons are the resolution notes, so that reference is always given; citing evidence cites its kind."""
    cited = {Reference.RESOLUTION_NOTES, *draft.references}
    return {each.value for each in (cited | {Reference.MILESTONE_EVIDENCE} if draft.evidence_ids else cited)}


def amounts(dossier: Dossier, split: splits.Split) -> dict[str, Any]:
    """Every amount of the decision in minor units; what each side has in the end is among them."""
    method, fee = None, dossier.money(0)
    if split.release.is_positive:
        method, fee = payouts.terms(dossier, split.release)
    return {
        "currency": dossier.milestone.currency,
        "held": dossier.order.held_minor,
        "charged": dossier.order.charge_minor,
        "release": split.release.minor,
        "refund": split.refund.minor,
        "fee_kept": split.fee_kept.minor,
        "fee_returned": split.fee_returned.minor,
        "concession": split.concession.minor,
        "refund_total": split.total_refund.minor,
        "withdrawal_method": method.value if method else None,
        "withdrawal_fee": fee.minor,
        "payee_net": (split.release - fee).minor,
        "payer_net_cost": dossier.order.charge_minor - split.total_refund.minor,
    }


def _journal(journal: Journal) -> dict[str, Any]:
    return {
        "key": journal.key,
        "kind": journal.kind,
        "currency": journal.currency,
        "postings": [{"account": each.account, "amount": each.amount.minor} for each in journal.postings],
    }


def _expected(session: Session, dossier: Dossier, split: splits.Split, key: str) -> list[Journal]:
    """What will be booked when Stripe has done its part, if it takes no fee of its own for it."""
    later: list[Journal] = []
    cause: dict[str, Any] = {}
    kept = receivables.to_keep_back(session, dossier, split.release)
    paid = split.release - kept
    if kept.is_positive:
        later.append(
            postings.receivable_offset(
                key=f"{key}.kept_back",
                party_id=dossier.payee.id,
                amount=kept,
                cause=cause,
                milestone_id=dossier.milestone.id,
            )
        )
    if paid.is_positive and dossier.payee.auto_withdraw:
        _, fee = payouts.terms(dossier, paid)
        later.append(
            postings.withdrawal(
                key=operation_key(session, key, "transfer"),
                party_id=dossier.payee.id,
                amount=paid,
                fee=fee,
                cause=cause,
                milestone_id=dossier.milestone.id,
            )
        )
    if split.total_refund.is_positive:
        later.append(
            postings.refund_succeeded(
                key=operation_key(session, key, "refund"),
                milestone_id=dossier.milestone.id,
                party_id=dossier.payer.id,
                amount=split.total_refund,
                fee=dossier.money(0),
                cause=cause,
            )
        )
    return later


def _operations(session: Session, dossier: Dossier, split: splits.Split, key: str) -> list[dict[str, Any]]:
    """The exact calls, with the keys they will carry; the payout follows once the transfer is booked."""
    calls: list[dict[str, Any]] = []
    if split.total_refund.is_positive:
        refund = _call("REFUND", "/v1/refunds", operation_key(session, key, "refund"))
        amount = stripe_exact(split.total_refund)
        calls.append({**refund, "params": {"amount": amount.minor, **refunds.refund_payload(dossier)}})
    paid = split.release - receivables.to_keep_back(session, dossier, split.release)
    if paid.is_positive and dossier.payee.auto_withdraw:
        method, fee = payouts.terms(dossier, paid)
        sent = stripe_exact(paid - fee)
        currency = sent.currency.lower()
        transfer = _call("TRANSFER", "/v1/transfers", operation_key(session, key, "transfer"))
        params = {"amount": sent.minor, "currency": currency, **payouts.transfer_payload(dossier)}
        calls.append({**transfer, "params": params})
        payout = _call("PAYOUT", "/v1/payouts", operation_key(session, key, "payout"))
        speed = "instant" if method.value == "instant" else "standard"
        params = {"amount": sent.minor, "currency": currency, "method": speed}
        calls.append({**payout, "account": dossier.payee.stripe_account, "params": params})
    return calls


def _call(kind: str, path: str, key: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key,
        "idempotency_key": idempotency_key(key, 1),
        "method": "POST",
        "path": path,
        "account": None,
    }


def _balances(dossier: Dossier, split: splits.Split) -> list[dict[str, Any]]:
    """The milestone's own accounts before and after, as positive amounts owed. Shared accounts are shown as changes,
    because other milestones move them meanwhile."""
    order, milestone_id = dossier.order, dossier.milestone.id
    held = order.held_minor
    return [
        {"account": accounts.held(milestone_id), "before": held, "after": 0},
        {
            "account": accounts.deferred_platform_fee(milestone_id),
            "before": order.platform_fee_minor,
            "after": order.platform_fee_minor - split.fee_kept.minor - split.fee_returned.minor,
        },
        {"account": accounts.refund_payable(milestone_id), "before": 0, "after": split.total_refund.minor},
        {"account": accounts.payee_payable(dossier.payee.id), "change": split.release.minor},
        {"account": accounts.PLATFORM_FEE_REVENUE, "change": split.fee_kept.minor},
    ]


def letter_facts(dossier: Dossier, draft: Draft, split: splits.Split) -> dict[str, Any]:
    return {
        "amount": dossier.amount,
        "released": split.release,
        "refunded": split.refund,
        "refund": split.total_refund,
        "reasons": draft.reasons,
    }


def template_of(outcome: DecisionOutcome) -> str:
    return f"decision_{outcome.value.lower()}"


def _letters(dossier: Dossier, draft: Draft, split: splits.Split) -> list[dict[str, Any]]:
    written = []
    for audience, party in (("payer", dossier.payer), ("payee", dossier.payee)):
        letter = letters.render(
            template_of(draft.outcome),
            audience,
            project=dossier.project.title,
            milestone=dossier.milestone.title,
            platform=dossier.project.platform,
            **letter_facts(dossier, draft, split),
        )
        written.append({"to": party.id, "audience": audience, "subject": letter.subject, "text": letter.text})
    return written


def _evidence_hashes(session: Session, dossier: Dossier) -> list[str]:
    wanted = (
        select(Evidence.sha256).where(Evidence.milestone_id == dossier.milestone.id).order_by(Evidence.id)
    )
    return list(session.scalars(wanted))


def _citations(session: Session, dossier: Dossier, ticket: Ticket, draft: Draft) -> list[dict[str, Any]]:
    """The references, each pinned to a hash of what it says now (payment-escrow-rules, Refund Rules)."""
    cited = [_cite(Reference.RESOLUTION_NOTES, ticket.id, draft.reasons)]
    if Reference.ENGAGEMENT_SCOPE in draft.references:
        cited.append(_cite(Reference.ENGAGEMENT_SCOPE, dossier.project.id, dossier.project.scope))
    if Reference.MESSAGE_HISTORY in draft.references:
        said = session.execute(
            select(Message.id, Message.body)
            .where(Message.milestone_id == dossier.milestone.id, Message.audience == "PARTIES")
            .order_by(Message.id)
        ).all()
        cited.append(
            _cite(Reference.MESSAGE_HISTORY, said[-1].id if said else 0, [list(row) for row in said])
        )
    if Reference.MILESTONE_EVIDENCE in draft.references and not draft.evidence_ids:
        cited.append(_cite(Reference.MILESTONE_EVIDENCE, dossier.milestone.id, dossier.milestone.deliverable))
    return cited + _evidence_citations(session, dossier, draft)


def _evidence_citations(session: Session, dossier: Dossier, draft: Draft) -> list[dict[str, Any]]:
    found = {
        each.id: each.sha256
        for each in session.scalars(
            select(Evidence).where(
                Evidence.milestone_id == dossier.milestone.id, Evidence.id.in_(draft.evidence_ids)
            )
        )
    }
    if unknown := sorted(draft.evidence_ids - found.keys()):
        raise CitationUnknown(evidence=unknown[0])
    return [
        {"reference": Reference.MILESTONE_EVIDENCE.value, "id": number, "sha256": found[number]}
        for number in sorted(found)
    ]


def _cite(reference: Reference, number: int, content: Any) -> dict[str, Any]:
    digest = hashlib.sha256(rfc8785.dumps(content)).hexdigest()
    return {"reference": reference.value, "id": number, "sha256": digest}
