"""An amount in a bank's file as whole minor units: read as the format writes it, and never guessed.

Digits after the decimal mark beyond those of the currency are refused, unless they are zeros: "18.150" is EUR 18.15.
"""

from __future__ import annotations

import re

from core.money import MAX_MINOR, digits

SIGNS = re.compile(r"[$€£¥₩₹¢]|[A-Z]{3}\b")
HINTS = (
    (re.compile(r"\x00"), "it holds a NUL character"),
    (SIGNS, "it has a currency sign in it"),
    (re.compile(r"\(.*\)"), "it stands in brackets"),
    (re.compile(r"[.,'\u2019]"), "it has thousands separators or another decimal mark in it"),
    (re.compile(r"\A\s*\Z"), "it is empty"),
)


class NoAmount(ValueError):
    """A text that is not an amount; the message says why, as the end of a sentence."""


def minor_units(
    text: str, currency: str, *, decimal: str = ".", grouping: str = "", signed: bool = False
) -> int:
    """`1234.56` in minor units. `decimal` lists the marks that may stand before the digits of the minor unit,
    `grouping` is what may stand between thousands. Raises `NoAmount`, `UnknownCurrency`."""
    places = digits(currency)
    found = _pattern(decimal, grouping).fullmatch(text.strip(" "))
    if found is None or not (found["whole"] or found["fraction"]):
        raise NoAmount(f"“{shown(text)}” is not an amount: {_why(text)}")
    if found["sign"] and not signed:
        raise NoAmount(f"“{shown(text)}” has a sign, and amounts have none here")
    fraction = found["fraction"] or ""
    if fraction[places:].strip("0"):
        raise NoAmount(
            f"“{shown(text)}” has more digits after the decimal mark than {currency} has ({places})"
        )
    whole = found["whole"].replace(grouping, "") if grouping else found["whole"]
    if len(whole.lstrip("0")) > len(str(MAX_MINOR)):
        raise NoAmount(f"“{shown(text)}” is beyond the amounts that this desk handles")
    minor: int = int(whole or "0") * 10**places + int(fraction[:places].ljust(places, "0") or "0")
    if minor > MAX_MINOR:
        raise NoAmount(f"“{shown(text)}” is beyond the amounts that this desk handles")
    return -minor if found["sign"] in ("-", "\u2212") else minor


def shown(text: str) -> str:
    """What stood there, short and without what would not print."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text.strip(" ")[:40])


def _pattern(decimal: str, grouping: str) -> re.Pattern[str]:
    whole = "[0-9]*"
    if grouping:
        whole = rf"[0-9]{{1,3}}(?:{re.escape(grouping)}[0-9]{{3}})+|[0-9]*"
    return re.compile(
        rf"(?P<sign>[-+\u2212]?)(?P<whole>{whole})(?:[{re.escape(decimal)}](?P<fraction>[0-9]*))?"
    )


def _why(text: str) -> str:
    return next((why for pattern, why in HINTS if pattern.search(text)), "it is not written as a number here")
