"""How a payout moves on is said in one sentence, and it is that of the state that it is in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.rules.operations import OperationStatus
from core.rules.payout_progress import Call, Facts, Progress, progress
from core.rules.payouts import PayoutStatus
from core.rules.refusal_reasons import Block

NOW = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
QUEUED = Call(OperationStatus.QUEUED, SOON, None, at_provider=False)
REQUESTED = Facts(status=PayoutStatus.REQUESTED, failure=None, call=QUEUED)
IN_REVIEW = Facts(status=PayoutStatus.ADMINISTRATIVE_REVIEW, failure="The bank said no.", call=None)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (REQUESTED, Progress("", "Transferred", SOON)),
        (replace(REQUESTED, call=None), Progress("", "Sent to the bank")),
        (
            replace(REQUESTED, call=replace(QUEUED, last_error="Stripe did not answer.")),
            Progress("Stripe did not answer.", "Sent again by itself", SOON),
        ),
        (
            replace(REQUESTED, call=replace(QUEUED, status=OperationStatus.REVIEW)),
            Progress("Whether it was sent is not known.", "A person looks at it"),
        ),
        (
            replace(REQUESTED, call=replace(QUEUED, at_provider=True), arrival_at=SOON),
            Progress("", "Stripe reports whether it arrived", SOON),
        ),
        (replace(REQUESTED, status=PayoutStatus.PAID), Progress("", "")),
        (IN_REVIEW, Progress("The bank said no.", "A person sends it again")),
        (
            replace(IN_REVIEW, call=Call(OperationStatus.REVIEW, NOW, "Two payouts were found.", False)),
            Progress("Two payouts were found.", "A person sends it again"),
        ),
    ],
)
def test_a_payout_says_why_it_waits_and_what_comes_next(facts: Facts, said: Progress) -> None:
    assert progress(facts) == said


@pytest.mark.parametrize(
    ("codes", "waits_until", "next_step", "at"),
    [
        (["bank_refused"], None, "Sent when the payee gives another bank account", None),
        (["bank_changed"], SOON, "Sent by itself", SOON),
        (["bank_changed"], None, "Checked again, and sent when nothing stops it", SOON),
        (["bank_changed", "hold"], NOW, "Checked again, and sent when nothing stops it", SOON),
    ],
)
def test_what_stops_it_says_when_it_goes_on(
    codes: list[str], waits_until: datetime | None, next_step: str, at: datetime | None
) -> None:
    blocks = tuple(Block(code, f"It is stopped by {code}.") for code in codes)
    said = progress(replace(REQUESTED, blocks=blocks, bank_waits_until=waits_until))
    more = f" And {len(codes) - 1} more." if len(codes) > 1 else ""
    assert said == Progress(blocks[0].sentence + more, next_step, at)
