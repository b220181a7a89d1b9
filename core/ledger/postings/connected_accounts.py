"""The payees' own money at Stripe, in their book: a memo, balanced by what they may claim."""

from __future__ import annotations

from collections.abc import Sequence

from core.ledger.accounts import CONNECTED_CLAIM, connected_balance, connected_in_transit
from core.ledger.journals import Cause, Journal, Posting, at_least_zero, credit, debit
from core.money import Money


def transfer_arrived(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """The transfer of a withdrawal is on the payee's Stripe balance."""
    return _payee(
        key,
        "transfer_arrived",
        party_id,
        amount,
        "Arrived at the payee's Stripe balance",
        cause,
        source=CONNECTED_CLAIM,
        target=connected_balance(party_id),
    )


def payee_transfer_reversed(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """The other side of `transfer_reversed`."""
    return _payee(
        key,
        "payee_transfer_reversed",
        party_id,
        amount,
        "Taken back from the payee's Stripe balance",
        cause,
        source=connected_balance(party_id),
        target=CONNECTED_CLAIM,
    )


def payout_sent(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    return _payee(
        key,
        "payout_sent",
        party_id,
        amount,
        "Payout on the way",
        cause,
        source=connected_balance(party_id),
        target=connected_in_transit(party_id),
    )


def payout_paid(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    return _payee(
        key,
        "payout_paid",
        party_id,
        amount,
        "Payout arrived",
        cause,
        source=connected_in_transit(party_id),
        target=CONNECTED_CLAIM,
    )


def payout_failed(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """Failed on the way; the money is on the payee's Stripe balance again."""
    return _payee(
        key,
        "payout_failed",
        party_id,
        amount,
        "Payout failed",
        cause,
        source=connected_in_transit(party_id),
        target=connected_balance(party_id),
    )


def payout_returned(*, key: str, party_id: int, amount: Money, cause: Cause) -> Journal:
    """Came back after `payout_paid` (within five business days); on the payee's Stripe balance again."""
    return _payee(
        key,
        "payout_returned",
        party_id,
        amount,
        "Payout came back",
        cause,
        source=CONNECTED_CLAIM,
        target=connected_balance(party_id),
    )


def _payee(
    key: str, kind: str, party_id: int, amount: Money, memo: str, cause: Cause, *, source: str, target: str
) -> Journal:
    at_least_zero(key, amount=amount)
    return Journal(key, kind, (debit(target, amount), credit(source, amount)), None, party_id, memo, cause)


def payee_line(*, party_id: int, amount: Money) -> tuple[Posting, Posting]:
    """What only the payee's own account says, `amount` signed: it is theirs, and they may claim it."""
    return debit(connected_balance(party_id), amount), credit(CONNECTED_CLAIM, amount)


def payee_line_booked(*, key: str, lines: Sequence[Posting], memo: str, cause: Cause) -> Journal:
    """Two people say what a line of a payee's own account was that nothing on the desk caused."""
    return Journal(key, "payee_line_booked", tuple(lines), memo=memo, cause=cause)
