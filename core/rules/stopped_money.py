"""What happens next with money that something stops, when, and who looks after it (internal policy).

Money moves when nothing stops it any more: what comes next is the first of the known dates, or else the first stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.rules.refusal_reasons import Block

# What ends each stop on the way to the payee's bank (`core.queries.release_blocks`), by its code.
ENDS: Mapping[str, str] = {
    "no_account": "The payee opens an account at Stripe",
    "payee_account": "The payee gives Stripe what it asks for",
    "payee_bank_currency": "The payee adds a bank account that takes this currency",
    "bank_changed": "Payouts to the new bank account begin",
    "bank_refused": "The payee gives another bank account",
    "client_funds_short": "Finance lets payouts in this currency go on",
    "balance_too_small": "Sent again by itself",
    "payout_review": "Finance sends the payout again",
}
UNKNOWN = "Checked again, and sent when nothing stops it"


@dataclass(frozen=True)
class Stop:
    """What ends one stop, when as far as that is known, and the person who has it."""

    ends: str
    at: datetime | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Standing:
    """`owners`: everybody who has one of the stops, or the payout."""

    next: str
    at: datetime | None
    owners: tuple[str, ...]


def standing(stops: Sequence[Stop], *, payout_owner: str | None, tried_at: datetime | None) -> Standing:
    """`tried_at`: when the queue asks again, for what no stop is known of any more."""
    first = _first(stops) or Stop(UNKNOWN, tried_at)
    owners = dict.fromkeys(name for name in (payout_owner, *(each.owner for each in stops)) if name)
    return Standing(first.ends, first.at, tuple(owners))


def on_the_way(blocks: Iterable[Block], at: Mapping[str, datetime | None]) -> list[Stop]:
    """Of released money: `at` says by code when it ends, where that is known."""
    return [Stop(ENDS[block.code], at.get(block.code)) for block in blocks]


def _first(stops: Sequence[Stop]) -> Stop | None:
    dated = [(each.at, number) for number, each in enumerate(stops) if each.at is not None]
    return stops[min(dated)[1]] if dated else next(iter(stops), None)
