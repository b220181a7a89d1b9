"""What a payer paid with, in words: from the provider's own, which are kept as it said them."""

from __future__ import annotations

from collections.abc import Mapping

NOT_KNOWN = "Not known"
KINDS: Mapping[str, str] = {
    "us_bank_account": "US bank account",
    "sepa_debit": "SEPA debit",
    "acss_debit": "Canadian bank account",
    "bacs_debit": "UK bank account",
}
BRANDS: Mapping[str, str] = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "eftpos_au": "eftpos Australia",
}
UNSAID = frozenset({"unknown", ""})


def in_words(
    kind: str | None, brand: str | None = None, funding: str | None = None, country: str | None = None
) -> str:
    """`card, visa, credit, US` as `Visa credit card, US`; `Not known` where the provider did not say."""
    if not kind:
        return NOT_KNOWN
    if kind == "card":
        parts = [BRANDS.get(brand or "", _plain(brand)), _plain(funding).lower(), "card"]
        said = " ".join(part for part in parts if part)
    else:
        said = KINDS.get(kind, _plain(kind))
    return f"{said[0].upper()}{said[1:]}{f', {country}' if country else ''}"


def _plain(word: str | None) -> str:
    return "" if word is None or word in UNSAID else word.replace("_", " ").strip().capitalize()
