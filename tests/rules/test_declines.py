"""Why a payment did not go through, in a sentence that the payer can do something with."""

from __future__ import annotations

import pytest

from core.rules import card_retries, declines


@pytest.mark.parametrize(
    "code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", "generic_decline", None]
)
def test_of_a_card_that_is_stolen_no_more_is_said_than_of_any_other(code: str | None) -> None:
    assert declines.sentence(code) == declines.UNSAID


@pytest.mark.parametrize("code", sorted(declines.SENTENCES))
def test_each_reason_is_a_sentence_or_two(code: str) -> None:
    said = declines.sentence(code)
    assert said[0].isupper()
    assert said.endswith(".")
    assert code not in said


def test_what_is_tried_again_by_itself_does_not_tell_the_payer_to_pay_another_way() -> None:
    for code in card_retries.SOFT & declines.SENTENCES.keys():
        assert "another" not in declines.sentence(code)
