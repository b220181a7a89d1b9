"""What happens by itself when time passes: charges settle, payouts arrive or come back, disputes run out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.gateways.stripe_sandbox import accounts, charges, disputes, payment_intents, payouts, refunds
from core.gateways.stripe_sandbox.world import World

JOBS: dict[str, Callable[..., None]] = {
    "account.look": accounts.look_again,
    "account.verify": accounts.verify,
    "charge.book": charges.book_later,
    "intent.clear": payment_intents.clear,
    "dispute.expire": disputes.expire,
    "payout.step": payouts.step,
    "payout.fail": payouts.fail,
    "refund.fund": refunds.fund,
    "refund.settle": refunds.settle,
    "refund.fail": refunds.fail,
}


def run_due(world: World) -> int:
    """Run every timer up to the world's time, in order, each at its own time. Returns how many ran."""
    ran = 0
    while due := world.store.due(world.now):
        at, job, id_, args = due
        found = world.store.get(id_)
        if found is not None:
            JOBS[job](replace(world, now=at, account=found[1], request_id=None, key=None), id_, **args)
        ran += 1
    return ran
