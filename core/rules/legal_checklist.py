"""Before payments are switched on for a marketplace: four items, each signed by compliance, for every jurisdiction or
for one country, with the document it rests on and until when it counts.

(payment-escrow-rules, Compliance / Legal Review Checklist.) No payment is asked for where one is not signed, was
withdrawn, or has lapsed. A country with signatures of its own goes by those, and not by those for every jurisdiction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.errors import DeskError
from core.rules.outside_words import COUNTRIES
from core.rules.refusal_reasons import Block, Blocked

EVERYWHERE = "ALL"
LARGEST = 5_000_000  # bytes of a document


class Item(StrEnum):
    COUNSEL = "COUNSEL"
    PROCESSOR_TERMS = "PROCESSOR_TERMS"
    CHARGEBACK_WORKFLOW = "CHARGEBACK_WORKFLOW"
    PRIVACY = "PRIVACY"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Item.COUNSEL: "Counsel has reviewed what holding funds means under the law of each jurisdiction",
    Item.PROCESSOR_TERMS: "The terms of the payment processor allow this category of service",
    Item.CHARGEBACK_WORKFLOW: "Chargebacks have a workflow for answers, and documents a time for which they are kept",
    Item.PRIVACY: "Receipts and billing information are handled as privacy law asks",
}


class PaymentsSwitchedOff(Blocked):
    """Payments are not switched on for this marketplace. {reasons}"""


class NoCountry(DeskError):
    """“{given}” is no country: write its code, such as DE, or leave it empty for every jurisdiction."""


class DocumentUnfit(DeskError):
    """The document must be a PDF of at most 5 MB."""


class DatesUnfit(DeskError):
    """The last day on which it counts must not be before today, nor before the day of its review."""


@dataclass(frozen=True)
class Signed:
    """A signature, as far as it decides: `id` tells the newer of two."""

    id: int
    item: str
    jurisdiction: str = EVERYWHERE
    valid_until: date | None = None
    withdrawn: bool = False

    def why_not(self, today: date) -> str:
        """Why it does not count; nothing where it does, its last day included."""
        if self.withdrawn:
            return "Withdrawn"
        return "Lapsed" if self.valid_until is not None and self.valid_until < today else ""


def jurisdiction_of(given: str) -> str:
    """A country by its two letters; every jurisdiction where nothing is said. Raises `NoCountry`."""
    code = given.strip().upper()
    if code not in ("", EVERYWHERE) and code not in COUNTRIES:
        raise NoCountry(given=given.strip())
    return code or EVERYWHERE


def check(*, document: bytes, valid_until: date | None, review_on: date | None, today: date) -> None:
    """Raises `DocumentUnfit`, `DatesUnfit`."""
    if not document.startswith(b"%PDF-") or len(document) > LARGEST:
        raise DocumentUnfit()
    if valid_until is not None and (
        valid_until < today or (review_on is not None and review_on > valid_until)
    ):
        raise DatesUnfit()


def counting(signatures: Iterable[Signed], item: str, jurisdiction: str) -> Signed | None:
    """The signature that the country goes by: the newest of its own, else the newest for every jurisdiction."""
    of_item = [each for each in signatures if each.item == item]
    own = [each for each in of_item if each.jurisdiction == jurisdiction]
    every = [each for each in of_item if each.jurisdiction == EVERYWHERE]
    return max(own or every, key=lambda each: each.id, default=None)


def missing(
    signatures: Iterable[Signed], *, today: date, jurisdictions: Iterable[str] = (EVERYWHERE,)
) -> tuple[Block, ...]:
    """Each item that does not count in one of the jurisdictions, named once."""
    known = tuple(signatures)
    return tuple(_missing(known, today, sorted(set(jurisdictions))))


def _missing(known: tuple[Signed, ...], today: date, jurisdictions: list[str]) -> Iterator[Block]:
    for item in Item:
        for jurisdiction in jurisdictions:
            found = counting(known, item, jurisdiction)
            why = found.why_not(today) if found else "Not signed"
            if why:
                own = found is not None and found.jurisdiction == jurisdiction != EVERYWHERE
                where = f" ({jurisdiction})" if own else ""
                yield Block(item.value.lower(), f"{why}: {item.label}{where}.")
                break


def require_signed(
    signatures: Iterable[Signed], *, today: date, jurisdictions: Iterable[str] = (EVERYWHERE,)
) -> None:
    """Raises `PaymentsSwitchedOff`, which names every item that does not count."""
    if blocks := missing(signatures, today=today, jurisdictions=jurisdictions):
        raise PaymentsSwitchedOff(blocks)
