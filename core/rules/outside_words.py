"""Names, places and addresses that come from outside: tidied where nothing is lost by it, else refused.

The one place for the API, the pages and the commands; the actions that store such words ask here.
"""

from __future__ import annotations

import re

from core.errors import DeskError
from core.rules.visible_text import has_unseen, says_something, tidy

LONGEST = 200  # characters of a name, a title, a place
LONGEST_ADDRESS = 254
COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()
)  # ISO 3166-1
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label is a top-level domain: two letters or more, none of those that RFC 6761 keeps from everybody.
_TOP = r"(?!(?:invalid|localhost)$)(?:[a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_TOP}", re.IGNORECASE)


class WordsUnusable(DeskError):
    """The {field} cannot be used: {why}."""


class SamePlace(DeskError):
    """The practice is licensed in {place}, and the work is done there: there is nothing to flag."""


def line(text: str, *, field: str) -> str:
    """A name or title as it is kept. Raises `WordsUnusable`."""
    kept = tidy(text)
    if not says_something(kept):
        raise WordsUnusable(field=field, why="nothing in it can be seen")
    if len(kept) > LONGEST:
        raise WordsUnusable(field=field, why=f"it is longer than {LONGEST} characters")
    return kept


def place(text: str, *, field: str) -> str:
    """A place as it is kept, or none: what was given and says nothing is refused, not dropped."""
    return line(text, field=field) if text else ""


def identifier(text: str, *, field: str) -> str:
    """Somebody else's name of a thing, kept to the letter: two that look the same must be the same."""
    if line(text, field=field) != text or has_unseen(text):
        raise WordsUnusable(field=field, why="an id has no blanks around it and no marks that nobody sees")
    return text


def country(code: str) -> str:
    """A country by its code of ISO 3166-1. Raises `WordsUnusable`."""
    if code not in COUNTRIES:
        raise WordsUnusable(field="country", why="no country has this code (ISO 3166-1 alpha-2)")
    return code


def has_mailbox(wire: str) -> bool:
    """Whether an address, with its domain as mail servers know it, can be anybody's."""
    name, _, domain = wire.rpartition("@")
    dots = name.startswith(".") or name.endswith(".") or ".." in name
    return bool(name) and not dots and len(domain) <= 253 and _DOMAIN.fullmatch(domain) is not None


def two_places(licensed_in: str, needed_in: str) -> None:
    """A practice of another state is of another one. Raises `SamePlace`."""
    if tidy(licensed_in).casefold() == tidy(needed_in).casefold():
        raise SamePlace(place=tidy(needed_in))
