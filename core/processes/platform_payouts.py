"""The platform's own payouts, followed until they have arrived."""

from __future__ import annotations

from functools import partial

from core.actions.platform import platform_money
from core.desk import Desk
from core.errors import DeskError


def follow_own_payouts(desk: Desk) -> int:
    """Ask what became of the platform's payouts that are on their way; returns how many have arrived.

    Their arrival leaves no line on the statement. Those that failed do, and are booked by it.
    """
    with desk.database.reading() as session:
        on_their_way = platform_money.on_their_way(session)
    arrived = 0
    for payout in on_their_way:
        try:
            snapshot = desk.payments.payout_by_id(payout, account=None)
        except DeskError:
            continue
        if snapshot.status == "paid":
            desk.database.run(partial(platform_money.arrived, snapshot=snapshot, now=desk.clock()))
            arrived += 1
    return arrived
