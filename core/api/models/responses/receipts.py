"""Receipts, invoices and credit notes."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer, Sha256
from core.rules.documents import ReceiptKind
from core.rules.refunds import RefundStatus


class ReceiptLineAnswer(TypedDict):
    label: str
    amount: MoneyAnswer


class ReceiptAnswer(TypedDict):
    """A receipt (FUNDING), an invoice (RELEASE) or a credit note (REFUND). `number`: without a gap in each series and
    year. `payer_name` and `payee_name`: what they were called when it was issued. `tax` is included in the total.
    `refers_to`: the number of the receipt of the payment. `refund_status`: of a credit note, what is so of its refund
    now; `since`: the same in words, where it came back after the note was issued. `scope_sha256`: of what was agreed
    then."""

    id: int
    number: str
    kind: ReceiptKind
    milestone: int
    payer: str
    payee: str
    payer_name: str
    payee_name: str
    lines: list[ReceiptLineAnswer]
    total: MoneyAnswer
    tax_bps: int
    tax: MoneyAnswer
    payment_method: str | None
    refers_to: str | None
    refund_status: RefundStatus | None
    since: str | None
    scope_sha256: Sha256
    at: Moment


class ReceiptsAnswer(PageAnswer):
    items: list[ReceiptAnswer]
