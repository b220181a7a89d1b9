"""What is written about money that moved: a receipt, an invoice or a credit note."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from core.money import WHOLE_BPS, Money
from core.policy import Platform
from core.rules.refunds import RefundStatus


class ReceiptKind(StrEnum):
    FUNDING = "FUNDING"
    RELEASE = "RELEASE"
    REFUND = "REFUND"


# A number is HR-2026-000017: the series, which is a marketplace's for one kind of document, the year, and the place in
# them. Numbers of before there were series by marketplace began with the letter of the kind alone.
OLD_SERIES: Mapping[str, str] = {
    ReceiptKind.FUNDING: "R",
    ReceiptKind.RELEASE: "I",
    ReceiptKind.REFUND: "C",
}
SERIES: Mapping[tuple[str, str], str] = {
    (platform, kind): f"{letter}{OLD_SERIES[kind]}"
    for platform, letter in ((Platform.HOME_SERVICES, "H"), (Platform.LEGAL_SERVICES, "L"))
    for kind in ReceiptKind
}
NUMBER = re.compile(rf"(?:{'|'.join([*SERIES.values(), *OLD_SERIES.values()])})-[0-9]{{4}}-[0-9]{{6,18}}")
TITLES: Mapping[str, str] = {
    ReceiptKind.FUNDING: "Receipt",
    ReceiptKind.RELEASE: "Invoice",
    ReceiptKind.REFUND: "Credit note",
}


def title_of(number: str) -> str:
    """What a document is, by its number: HI-2026-000017 is an invoice."""
    series = number.partition("-")[0]
    kind = next(kind for (_, kind), each in SERIES.items() if series in (each, OLD_SERIES[kind]))
    return TITLES[kind]


def tax_in(total: Money, bps: int) -> Money:
    """The tax that an amount includes at this rate, rounded half up; the net is what remains."""
    return total.share(bps, WHOLE_BPS + bps)


class Cause(StrEnum):
    """What moved the money."""

    ACCEPTANCE = "ACCEPTANCE"
    DECISION = "DECISION"
    AGREEMENT = "AGREEMENT"
    OTHER = "OTHER"


_OF_A_CASE = re.compile(r"\.(decision|agreement)\.([0-9]+)\.")
_BY = {
    Cause.DECISION: "by decision on case {case}",
    Cause.AGREEMENT: "as both parties agreed on case {case}",
}


def cause(key: str) -> tuple[Cause, int | None]:
    """Of a receipt by its key, which ends in that of what moved the money; and its case's number, if any."""
    if found := _OF_A_CASE.search(key):
        return Cause(found[1].upper()), int(found[2])
    return (Cause.ACCEPTANCE if key.startswith("release.release.") else Cause.OTHER), None


def said(kind: ReceiptKind, cause: Cause, case: str | None) -> str:
    """What happened, as the paper says it. Nobody accepted what a decision released."""
    if kind is ReceiptKind.FUNDING:
        return "Received from the payer. The milestone amount is held until it is released or refunded."
    what = "Released to the payee" if kind is ReceiptKind.RELEASE else "Refunded to the payer"
    if cause in _BY:
        return f"{what} {_BY[cause].format(case=case)}."
    accepted = kind is ReceiptKind.RELEASE and cause is Cause.ACCEPTANCE
    return f"{what}: the milestone counts as accepted under its terms." if accepted else f"{what}."


# A credit note is issued when its refund has succeeded. What is so of the refund since then, where it came back.
SINCE: Mapping[RefundStatus, tuple[str, str]] = {
    RefundStatus.QUEUED: ("Came back, to be sent again", "The refund came back, and is to be sent again."),
    RefundStatus.PENDING: ("Came back, sent again", "The refund came back, and is on its way again."),
    RefundStatus.FAILED: ("Came back", "The refund came back: the amount is owed to the payer again."),
    RefundStatus.CANCELED: ("Canceled", "The refund was canceled: the amount is owed to the payer again."),
    RefundStatus.RETURNED: ("Came back, paid by hand", "The refund came back, and was then paid by hand."),
    RefundStatus.CHARGED_BACK: (
        "Came back, charged back",
        "The refund came back, and the payer's bank took the amount instead.",
    ),
}


def since(status: RefundStatus | str) -> str | None:
    """What became of the refund of a credit note; None where the payer has it."""
    return SINCE[status][1] if (status := RefundStatus(status)) in SINCE else None


def line(moved: str, *, whole: bool) -> str:
    """Its line for what was released or refunded of the milestone."""
    return f"Milestone amount, {moved} in full" if whole else f"Part of the milestone amount, {moved}"
