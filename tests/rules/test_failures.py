"""Why money did not arrive is a sentence of ours for every code, also for one that nobody knows."""

from __future__ import annotations

import pytest

from core.rules import payout_failures, refund_failures
from core.rules.payouts import NotPaid
from dashboard.finance import withdrawals

CODES = [*payout_failures.REPEATS, *payout_failures.ONCE, payout_failures.TOO_SMALL, "new_code", "", None]


@pytest.mark.parametrize("how", NotPaid)
@pytest.mark.parametrize("code", CODES)
def test_why_a_payout_failed_is_one_sentence_without_the_code(code: str | None, how: NotPaid) -> None:
    said = payout_failures.sentence(code, how)
    assert said[0].isupper()
    assert said.endswith(".")
    assert "_" not in said


def test_a_code_that_nobody_knows_says_only_how_it_ended() -> None:
    said = {payout_failures.sentence("new_code", how) for how in NotPaid}
    assert said == set(payout_failures.UNSAID.values())
    assert payout_failures.sentence("account_closed", NotPaid.REFUSED) == "The bank account is closed."


def test_a_lost_card_is_told_as_an_expired_one() -> None:
    lost, expired = map(refund_failures.came_back, ("lost_or_stolen_card", "expired_or_canceled_card"))
    assert lost == expired
    for code in (*refund_failures.SENTENCES, "new_code", None):
        for said in (refund_failures.came_back(code), refund_failures.refused(code)):
            assert said[0].isupper()
            assert said.endswith(".")
            assert "_" not in said


def test_a_retry_that_fails_again_names_the_box_that_sends_it_all_the_same() -> None:
    said = payout_failures.WillFailAgain(payout="W-1", why="It is closed.", remedy="Ask for another.").message
    assert said.endswith(f"open the payout and tick “{withdrawals.ANYWAY}”.")
