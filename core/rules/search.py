"""What somebody means who types into the search: a number the desk prints, an id of Stripe's, an amount, or words.

Everything that it can mean is looked for; nothing is guessed. `1.234` is a thousand and more in dollars, and a little
more than one in dinars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors import DeskError
from core.money import CURRENCIES, MAX_MINOR, Money, readings
from core.rules import documents
from core.rules.references import PREFIXES, ReferenceKind, whole

MOST_CHARACTERS = 200
MOST_WORDS = 6
SHORTEST = 3  # of what is looked for within names; one sign of another script may be a whole name
LONGEST = 30  # digits and separators of an amount


class Found(StrEnum):
    """What a search finds."""

    CASE = "case"
    PROJECT = "project"
    MILESTONE = "milestone"
    PARTY = "party"
    PAYOUT = "payout"
    PLATFORM_PAYOUT = "platform payout"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    HOLD = "hold"
    REPORT = "report"
    RISK_REVIEW = "risk review"
    RECEIPT = "receipt"
    LETTER = "e-mail"
    JOURNAL = "journal"
    ACCOUNT = "account"
    SUSPENSE = "suspense"
    BREAK = "break"
    BANK_STATEMENT = "bank statement"
    MANUAL_JOURNAL = "manual journal"
    RUN = "run"
    OPERATION = "operation"
    WEBHOOK_EVENT = "webhook event"
    AUDIT_ENTRY = "audit entry"


OF_REFERENCE: Mapping[ReferenceKind, Found] = {
    "bank statement": Found.BANK_STATEMENT,
    "break": Found.BREAK,
    "case": Found.CASE,
    "chargeback": Found.CHARGEBACK,
    "hold": Found.HOLD,
    "journal": Found.JOURNAL,
    "letter": Found.LETTER,
    "manual journal": Found.MANUAL_JOURNAL,
    "milestone": Found.MILESTONE,
    "payout": Found.PAYOUT,
    "project": Found.PROJECT,
    "report": Found.REPORT,
    "risk review": Found.RISK_REVIEW,
    "run": Found.RUN,
    "suspense": Found.SUSPENSE,
}
# By a number alone: what people call by it.
BY_NUMBER = (Found.CASE, Found.PROJECT, Found.MILESTONE, Found.PAYOUT, Found.JOURNAL, Found.AUDIT_ENTRY)


class NothingToLookFor(DeskError):
    """There is nothing to look for: give a number that the desk prints, an id of Stripe's, an amount, or at least
    {shortest} characters of a name."""


_REFERENCE = re.compile(r"(?P<prefix>[A-Z]{1,3})[- ]?(?P<number>[0-9]{1,18})")
_PROVIDER_ID = re.compile(r"[A-Za-z]{2,8}_[A-Za-z0-9_]{1,250}")
_ACCOUNT = re.compile(r"[a-z_]{4,40}(:[1-9][0-9]{0,12})?")
_BANK_REFERENCE = re.compile(r"(?=\S*[0-9])\S{4,140}")


@dataclass(frozen=True)
class Meaning:
    """All that the words can mean. `numbers`: which object has which number; `amounts`: of each
    currency what it can be, in either notation."""

    numbers: tuple[tuple[Found, int], ...] = ()
    provider_id: str | None = None
    account: str | None = None
    amounts: tuple[Money, ...] = ()
    words: tuple[str, ...] = ()
    bank_reference: str | None = None
    """What a bank may call a line."""
    document: str | None = None
    """The number of a receipt, an invoice or a credit note."""

    @property
    def names_one(self) -> bool:
        """They name one thing, by its number or its id."""
        named = (self.provider_id, self.account, self.document)
        return len(self.numbers) == 1 or any(each is not None for each in named)

    @property
    def is_none(self) -> bool:
        """There is nothing in them to look for."""
        return self == Meaning()


def meaning(text: str) -> Meaning:
    """Read what was typed; what is too short to be looked for means nothing."""
    typed = " ".join(text[:MOST_CHARACTERS].replace("\0", " ").split())
    if not typed:
        return Meaning()
    if documents.NUMBER.fullmatch(typed.upper()):
        return Meaning(document=typed.upper())
    named = _named(typed)
    if named is not None:
        return Meaning(numbers=(named,), words=_words(typed))
    if _PROVIDER_ID.fullmatch(typed):
        account = typed if _ACCOUNT.fullmatch(typed) else None
        return Meaning(
            provider_id=typed, account=account, words=_words(typed), bank_reference=_bank_reference(typed)
        )
    number = whole(typed)
    return Meaning(
        numbers=tuple((each, number) for each in BY_NUMBER) if number else (),
        account=typed if _ACCOUNT.fullmatch(typed) else None,
        amounts=amounts(typed),
        words=_words(typed),
        bank_reference=_bank_reference(typed),
    )


def _bank_reference(typed: str) -> str | None:
    """One word with a digit in it, as banks number their lines."""
    return typed if _BANK_REFERENCE.fullmatch(typed) else None


def _named(typed: str) -> tuple[Found, int] | None:
    match = _REFERENCE.fullmatch(typed.upper())
    if match is None:
        return None
    kind = next((kind for kind, prefix in PREFIXES.items() if prefix == match["prefix"]), None)
    return (OF_REFERENCE[kind], int(match["number"])) if kind else None


def _words(typed: str) -> tuple[str, ...]:
    words = typed.split()[:MOST_WORDS]
    return tuple(words) if any(len(word) >= SHORTEST or not word.isascii() for word in words) else ()


def amounts(typed: str) -> tuple[Money, ...]:
    """The amounts that the words can be, in either notation: `$1,234.56`, `1.234,56 EUR`, `1'234.50`, `12`."""
    named, digits = _currency(typed)
    if len(digits) > LONGEST:
        return ()
    wanted = [each for each in CURRENCIES if named is None or each in named]
    found = ((minor, each) for each in wanted for minor in readings(digits, each))
    return tuple(Money(minor, currency) for minor, currency in found if 0 < minor <= MAX_MINOR)


def _currency(typed: str) -> tuple[frozenset[str] | None, str]:
    """The currencies that a symbol or a code names, and the rest; `$` may be any dollar."""
    bare = typed.strip().removeprefix("-").removeprefix("\u2212").strip()
    marks = sorted(
        {each.code for each in CURRENCIES.values()} | {each.symbol.strip() for each in CURRENCIES.values()},
        key=len,
        reverse=True,
    )
    for mark in marks:
        for rest in (bare.upper().removeprefix(mark), bare.upper().removesuffix(mark)):
            if rest != bare.upper():
                ending = frozenset(
                    each.code
                    for each in CURRENCIES.values()
                    if mark == each.code or each.symbol.strip().endswith(mark)
                )
                return ending, rest.strip().removeprefix("-").removeprefix("\u2212").strip()
    return None, bare
