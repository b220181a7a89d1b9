"""A milestone's payment, and what its payer's bank says."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.rules.charges import ChargeStatus
from core.rules.payment_states import State as PaymentState


class ConfirmationAnswer(TypedDict):
    """What the payer confirms with their bank: at `url`, where the funding named a page to come back to, or in the
    marketplace's own page, with Stripe's library and `client_secret`. After `confirm_by` it is called off.
    `client_secret` and `url` are in what a key that may write reads, and null for a key that only reads."""

    client_secret: str | None
    url: str | None
    confirm_by: Moment


class DeclineAnswer(TypedDict):
    """Why the last charge failed: `code` for the program, `sentence` for the payer.

    `next_retry_at`: when the desk tries again by itself; null: it does not, and the payer pays again or another way.
    """

    code: str | None
    sentence: str
    next_retry_at: Moment | None


class PaymentAnswer(TypedDict):
    """`charge_status`: how the last charge stands with the payer's bank. While it is SENDING, REQUIRES_ACTION or
    PROCESSING nothing is held, and the milestone is not funded."""

    state: PaymentState
    charge_status: ChargeStatus | None
    confirmation: ConfirmationAnswer | None
    decline: DeclineAnswer | None
    charge: MoneyAnswer
    platform_fee: MoneyAnswer
    processing_fee: MoneyAnswer
    held: MoneyAnswer
    payable: MoneyAnswer
    refundable: MoneyAnswer
    released: MoneyAnswer
    refunded: MoneyAnswer
    in_flight: bool


class PaymentOfMilestoneAnswer(PaymentAnswer):
    milestone: int
    project: int
    payer: str
    funded_at: Moment | None


class PaymentsAnswer(PageAnswer):
    items: list[PaymentOfMilestoneAnswer]
