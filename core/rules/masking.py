"""Who people are and what they wrote is masked where the work of a page does not need it: one table says who sees what.

The masks are those of the database's views (`masked`), through which such a page reads; a test holds the two together.
A mask keeps the first letters and the party's number, so that two are told apart, and anybody can be found and revealed
by it. Of several roles each adds what it sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.errors import DeskError
from core.rules.permissions import Role

REVEALED_FOR = timedelta(minutes=15)
AT_ONCE = 25  # people in one press
# So many people revealed by one colleague within an hour are still the day's work; more raise an alarm.
MANY, WITHIN = 10, timedelta(hours=1)
MASK = "•••"
_WORDS, FIRST_WORDS = re.compile(r"(?<!\S)\w"), 2  # a word begins with a letter or a digit
_NUMBERED = re.compile(rf"(?:\S?{MASK} )+#(\d+)\b")
# Of a document of Stripe's or of our own: the names of its fields that hold who somebody is or what they wrote, and
# words as only a machine writes them: an id, a code, a status, a moment.
_PERSONAL_FIELDS = frozenset(
    "address answer birth body caption city company customer descriptor description details dob email evidence "
    "fingerprint individual ip iban last4 line1 line2 message name note owner person phone postal postcode question "
    "routing sentence shipping ssn text title url website".split()
)
_ID = re.compile(r"[a-z]{2,8}_[A-Za-z0-9]{3,}")
_OF_A_MACHINE = re.compile(
    r"(?=[^a-z]*[a-z])[a-z0-9]+(?:[_.:-][A-Za-z0-9]+)*|(?=[^A-Z]*[A-Z])[A-Z0-9]+(?:[_.:-][A-Z0-9]+)*"
    r"|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?"
)


class Personal(StrEnum):
    """IDENTITY: names, e-mail addresses, places, digits of cards and bank accounts. WORDS: what a person wrote, and
    what was written to them."""

    IDENTITY = "identity"
    WORDS = "words"


ALL = frozenset(Personal)
NOTHING = frozenset[Personal]()
CHARGEBACK = "chargeback"  # one of them, on the page of all
SEARCH = "search"
BANK_CHANGE = "bank_change"  # one of them too

# Whatever is not here is masked. Mediators judge between people, so they see everything.
SEES: Mapping[Role, Mapping[str, frozenset[Personal]]] = {
    # They assign cases and decide escalated ones; a tie is between two names.
    Role.ADMINISTRATOR: {
        **dict.fromkeys(("disputes", "case", "projects", "project", "approvals", "holds", SEARCH), ALL),
        CHARGEBACK: ALL,
        **dict.fromkeys(("people", BANK_CHANGE), frozenset({Personal.IDENTITY})),
    },
    # They write to the parties of a case and judge reports by their words; the bank is told who the payer is.
    Role.COMPLIANCE: {
        **dict.fromkeys(("case", "project", CHARGEBACK), ALL),
        "holds": frozenset({Personal.WORDS}),
        BANK_CHANGE: frozenset({Personal.IDENTITY}),
    },
    # They approve a decision by what both sides wrote, where roles stand for names also within the words; and answer
    # banks. Whether a new bank account is a payee's, they ask the payee.
    Role.FINANCE: {
        **dict.fromkeys(("case", "approvals"), frozenset({Personal.WORDS})),
        CHARGEBACK: ALL,
        BANK_CHANGE: frozenset({Personal.IDENTITY}),
    },
}


@dataclass(frozen=True)
class Sight:
    """What a colleague sees on one page, and in whose session: what is revealed there is shown too."""

    sees: frozenset[Personal]
    staff_id: int | None
    session_id: int | None

    @property
    def masked(self) -> bool:
        return self.sees != ALL


class NobodyToReveal(DeskError):
    """Choose whom you need to see."""

    of_what_was_given = True


class TooManyToReveal(DeskError):
    """{count} people are too many at once: reveal at most {most} together."""

    of_what_was_given = True


class NoSessionToRevealIn(DeskError):
    """Names are revealed in a session of your own, on a page."""

    of_what_was_given = True


def sees(roles: Iterable[Role], page: str) -> frozenset[Personal]:
    """What these roles see on this page without asking. Whoever has none sees nothing."""
    held = frozenset(roles)
    if Role.MEDIATOR in held:
        return ALL
    return NOTHING.union(*(SEES[role].get(page, NOTHING) for role in held))


def hides(roles: Iterable[Role], page: str) -> bool:
    """Whether this page says of nobody who they are, until it is revealed."""
    return Personal.IDENTITY not in sees(roles, page)


def masked_name(name: str, party_id: int) -> str:
    """`A••• L••• #17`: short enough for the number to be seen in a column, also of `Arden & Lowe Kitchens Ltd`."""
    if name in ("", "erased"):
        return name
    letters = _WORDS.findall(name)[:FIRST_WORDS] or [""]
    return f"{' '.join(letter + MASK for letter in letters)} #{party_id}"


def masked_email(address: str) -> str:
    """`a•••@…`: a domain may be a person's own."""
    return address if address in ("", "erased") else f"{address[:1]}{MASK}@…"


def masked_words(words: str) -> str:
    return words if words in ("", "erased") else MASK


def masked_json(value: object, *, personal: bool = False) -> object:
    """The same JSON, in which a mask stands for whatever may say who somebody is or what they wrote.

    Amounts, flags, ids, codes and moments stay; so do all names of fields. Of a field that is about a person
    (`personal`) nothing stays, except an id of the form `cus_…`.
    """
    if isinstance(value, Mapping):
        return {key: masked_json(each, personal=personal or _is_personal(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [masked_json(each, personal=personal) for each in value]
    if value is None or isinstance(value, bool) or (not personal and isinstance(value, (int, float))):
        return value
    words = str(value)
    if not words or (_ID if personal else _OF_A_MACHINE).fullmatch(words):
        return value
    return MASK


def _is_personal(field: str) -> bool:
    return not _PERSONAL_FIELDS.isdisjoint(field.lower().split("_"))


def masks_in(text: str) -> dict[int, str]:
    """The masks that stand in this text, by the number of their party."""
    return {int(each[1]): each[0] for each in _NUMBERED.finditer(text)}


def alarming(before: int, after: int) -> bool:
    """Whether these are the ones with which it becomes many within the hour."""
    return before <= MANY < after
