"""What is written about money that moved: a receipt, an invoice or a credit note."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ReceiptKind(StrEnum):
    FUNDING = "FUNDING"
    RELEASE = "RELEASE"
    REFUND = "REFUND"


# What its number begins with.
LETTERS: Mapping[ReceiptKind, str] = {
    ReceiptKind.FUNDING: "R",
    ReceiptKind.RELEASE: "I",
    ReceiptKind.REFUND: "C",
}
