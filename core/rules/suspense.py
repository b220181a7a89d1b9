"""What unexplained money can turn out to be, once a person has looked."""

from __future__ import annotations

from enum import StrEnum

from core.errors import DeskError
from core.money import Money


class SettledAs(StrEnum):
    OWN_MONEY = "OWN_MONEY"
    """The platform's own, from or to its bank."""
    PROCESSOR_FEE = "PROCESSOR_FEE"
    """A fee of the processor's, or one given back."""
    CONCESSION = "CONCESSION"
    """Paid to a customer by hand at the processor, from the platform's pocket."""
    EACH_OTHER = "EACH_OTHER"
    """Several amounts that cancel each other out, such as a payment and its return."""


class DoNotCancelOut(DeskError):
    """These amounts do not cancel each other out: {total} would remain."""


def check_each_other(amounts: list[Money]) -> None:
    """Two or more of one currency, that sum to nothing."""
    total = Money.total(amounts, amounts[0].currency)
    if len(amounts) < 2 or not total.is_zero:
        raise DoNotCancelOut(total=total)
