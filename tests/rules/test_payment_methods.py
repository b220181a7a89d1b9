"""What was paid with is said in words, and what the provider did not say is not made up."""

from __future__ import annotations

import pytest

from core.rules.payment_methods import in_words


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("card", "visa", "credit", "US"), "Visa credit card, US"),
        (("card", "amex", "credit", "GB"), "American Express credit card, GB"),
        (("card", "unknown", "unknown", None), "Card"),
        (("card", None, None, None), "Card"),
        (("us_bank_account", None, None, None), "US bank account"),
        (("sepa_debit", None, None, "AT"), "SEPA debit, AT"),
        (("cashapp_pay", None, None, None), "Cashapp pay"),
        ((None, None, None, None), "Not known"),
    ],
)
def test_what_was_paid_with_in_words(told: tuple[str | None, ...], said: str) -> None:
    assert in_words(*told) == said
