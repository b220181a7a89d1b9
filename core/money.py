"""Money is a whole number of minor units in one currency. There are no floats, and parts sum to the whole.

Rounding is half-up, once, and symmetric in sign; the other part is always what remains. Amounts stay below 2**53 in
minor units, so that no reader of JSON, a spreadsheet or a browser can lose a cent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import DeskError

MAX_MINOR = 2**53 - 1
WHOLE_BPS = 10_000


@dataclass(frozen=True)
class Currency:
    """`digits` of the minor unit (ISO 4217), how an amount is shown, and the step that Stripe accepts."""

    code: str
    digits: int
    symbol: str
    stripe_step: int = 1

    @property
    def number_format(self) -> str:
        """How a workbook shows amounts in it: with its own number of decimals."""
        return f"#,##0.{'0' * self.digits}" if self.digits else "#,##0"


CURRENCIES: Mapping[str, Currency] = {
    currency.code: currency
    for currency in (
        Currency("USD", 2, "$"),
        Currency("EUR", 2, "€"),
        Currency("GBP", 2, "£"),
        Currency("CAD", 2, "CA$"),
        Currency("AUD", 2, "A$"),
        Currency("CHF", 2, "CHF "),
        Currency("JPY", 0, "¥"),
        # Stripe takes three-decimal amounts only with a last digit of 0.
        Currency("KWD", 3, "KWD ", stripe_step=10),
    )
}


class CurrencyMismatch(DeskError):
    """{left} and {right} are different currencies."""


class UnknownCurrency(DeskError):
    """{currency} is not a currency this desk handles."""


class AmountNotWhole(DeskError):
    """{value} is not a whole number of minor units."""


class AmountNotANumber(DeskError):
    """“{text}” is not an amount. Write it like 1,043.56 or 1.043,56."""


class AmountAmbiguous(DeskError):
    """“{text}” can be read in two ways: the mark in it can stand before decimals or between thousands. Write all
    decimals, like 1,043.56 or 1.043,56, or no mark."""


class AmountTooPrecise(DeskError):
    """“{text}” has more digits after the decimal mark than {currency} has ({digits})."""


class AmountOutOfRange(DeskError):
    """{value} is beyond the amounts this desk handles."""


class AmountNegative(DeskError):
    """“{text}” is negative; write an amount of zero or more."""


class AmountNotStripeExact(DeskError):
    """{amount} cannot be sent to Stripe: the last digit of a {currency} amount must be 0."""


def shown_order(currency: str) -> tuple[bool, str]:
    """The one order in which currencies stand beside each other: dollars first, then by code."""
    return currency != "USD", currency


def in_order(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """One amount a currency, in the order of currencies."""
    return tuple(sorted(amounts, key=lambda each: shown_order(each.currency)))


def digits(currency: str) -> int:
    return _currency(currency).digits


def require_known(code: str) -> None:
    """Raises `UnknownCurrency`."""
    _currency(code)


def _currency(code: str) -> Currency:
    try:
        return CURRENCIES[code]
    except (KeyError, TypeError):
        raise UnknownCurrency(currency=code) from None


def half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest whole number, halves away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def apportion(exact: Sequence[int], whole: int, total: int) -> tuple[int, ...]:
    """Whole parts that sum to `total`, each less than one away from its exact part exact / whole (largest remainder).

    `total` is the exact sum, rounded either way. Among equal remainders the last part gets more.
    """
    parts = [each // whole for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: (exact[n] % whole, n), reverse=True)
    for n in by_remainder[: total - sum(parts)]:
        parts[n] += 1
    return tuple(parts)


@dataclass(frozen=True)
class Money:
    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise AmountNotWhole(value=repr(self.minor))
        _currency(self.currency)
        if abs(self.minor) > MAX_MINOR:
            raise AmountOutOfRange(value=self.text())

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str, *, negative: bool = False) -> Money:
        """What a person typed, as money, in either notation: "1,043.56", "1.043,56", " 12 ", "$5". Nothing is
        rounded and nothing is guessed: what can be read in two ways is refused."""
        return _parse(text, currency, negative=negative)

    @classmethod
    def total(cls, parts: Iterable[Money], currency: str) -> Money:
        """The sum, of the given currency also when there is nothing to add."""
        return sum(parts, cls.zero(currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __mul__(self, times: int) -> Money:
        if type(times) is not int:
            raise AmountNotWhole(value=repr(times))
        return Money(self.minor * times, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other).minor

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other).minor

    def __str__(self) -> str:
        return self.text()

    def _same(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise CurrencyMismatch(left=self.currency, right=other.currency)
        return other

    @property
    def is_zero(self) -> bool:
        return self.minor == 0

    @property
    def is_positive(self) -> bool:
        return self.minor > 0

    @property
    def is_negative(self) -> bool:
        return self.minor < 0

    def portion(self, bps: int, *, step: int = 1) -> Money:
        """This many hundredths of a percent of it, half-up: 2.5 % is 250."""
        return self.share(bps, WHOLE_BPS, step=step)

    def share(self, part: int, whole: int, *, step: int = 1) -> Money:
        """part / whole of it, half-up to a multiple of `step` minor units."""
        if not type(part) is type(whole) is type(step) is int:
            raise AmountNotWhole(value=f"{part!r} / {whole!r} in steps of {step!r}")
        return Money(half_up(self.minor * part, whole * step) * step, self.currency)

    def spread(self, weights: Sequence[int], *, step: int = 1) -> tuple[Money, ...]:
        """Parts in proportion to the weights, each less than one step away from its exact share, summing to the whole.

        They are multiples of `step`, but for the last when the whole is none.
        """
        units, odd = divmod(self.minor, step)
        parts = apportion([units * weight for weight in weights], sum(weights), units)
        first, last = parts[:-1], parts[-1]
        return (
            *(Money(part * step, self.currency) for part in first),
            Money(last * step + odd, self.currency),
        )

    def major(self) -> str:
        """The exact number in major units, for files and forms: "1043.56"."""
        places = digits(self.currency)
        sign, figures = "-" * self.is_negative, str(abs(self.minor)).zfill(places + 1)
        return f"{sign}{figures[:-places]}.{figures[-places:]}" if places else sign + figures

    def text(self) -> str:
        """For people: "$1,043.56", "-$5.00", "¥12,000", "KWD 12.345"."""
        whole, _, fraction = self.major().removeprefix("-").partition(".")
        figures = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
        return "-" * self.is_negative + CURRENCIES[self.currency].symbol + figures

    def as_dict(self) -> dict[str, Any]:
        return {"minor": self.minor, "currency": self.currency}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Money:
        return cls(data["minor"], data["currency"])


def stripe_step(currency: str) -> int:
    """Amounts sent to Stripe are multiples of this many minor units."""
    return _currency(currency).stripe_step


def stripe_exact(money: Money) -> Money:
    """The same money, if Stripe can take it to the last digit; otherwise `AmountNotStripeExact`."""
    if money.minor % stripe_step(money.currency):
        raise AmountNotStripeExact(amount=money, currency=money.currency)
    return money


_GROUPING = "'\u2019 \u00a0\u202f"
_LONGEST = 2 * len(str(MAX_MINOR))  # int() of a pasted book would be slow, and is refused anyway


def _notation(decimal: str, grouping: str) -> re.Pattern[str]:
    """Digits, perhaps in threes with one mark between them, and digits after the decimal mark."""
    apart = rf"[1-9][0-9]{{0,2}}(?P<mark>[{grouping}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
    return re.compile(rf"(?P<whole>{apart}|[0-9]*)(?:[{decimal}](?P<fraction>[0-9]*))?")


_WITH_POINT = _notation(".", "," + _GROUPING)  # 1,043.56, as the desk writes it
_WITH_COMMA = _notation(",", "." + _GROUPING)  # 1.043,56


def readings(figures: str, currency: str) -> tuple[int, ...]:
    """The minor units that figures without sign and currency can be, in either notation, the desk's own first: in
    dollars `1.234` can only be a thousand and more, in dinars a little more than one as well."""
    found = (_minor(notation.fullmatch(figures), digits(currency)) for notation in (_WITH_POINT, _WITH_COMMA))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _minor(match: re.Match[str] | None, places: int) -> int | None:
    if match is None or not (match["whole"] or match["fraction"]) or len(match["fraction"] or "") > places:
        return None
    whole, fraction = re.sub("[^0-9]", "", match["whole"]), match["fraction"] or ""
    return int((whole[:_LONGEST] or "0") + fraction.ljust(places, "0"))


def _parse(text: str, currency: str, *, negative: bool) -> Money:
    if not isinstance(text, str):
        raise AmountNotANumber(text=text)
    bare = text.strip()
    sign = bare[:1] in ("-", "\u2212")
    figures = _without_currency(bare[sign:], currency)
    found = readings(figures, currency)
    point, comma = _WITH_POINT.fullmatch(figures), _WITH_COMMA.fullmatch(figures)
    if not found:
        marks = [each["fraction"] for each in (point, comma) if each]
        if any(marks):
            raise AmountTooPrecise(text=text, currency=currency, digits=digits(currency))
        raise AmountNotANumber(text=text)
    if _unclear(found, point, currency):
        raise AmountAmbiguous(text=text)
    if len(figures) > _LONGEST:
        raise AmountOutOfRange(value="This number")
    if sign and found[0] and not negative:
        raise AmountNegative(text=text)
    return Money(-found[0] if sign else found[0], currency)


def _unclear(found: tuple[int, ...], point: re.Match[str] | None, currency: str) -> bool:
    """Whether the mark in it may be one for thousands and one for decimals. What the desk writes itself is clear: all
    the decimals of the currency after a point, or a comma before three digits of a currency that has not three."""
    if len(found) == 2:
        return point is None or len(point["fraction"] or "") != digits(currency)
    return bool(point and digits(currency) and len(point["fraction"] or "") > digits(currency))


def _without_currency(bare: str, currency: str) -> str:
    """Its own code or symbol may stand before or after it."""
    for mark in (currency, CURRENCIES[currency].symbol.strip()):
        for rest in (bare.removeprefix(mark), bare.removesuffix(mark)):
            if rest != bare:
                return rest.strip()
    return bare


def percent(bps: int) -> str:
    """Hundredths of a percent, exactly, as everybody reads them: 250 is `2.5 %`."""
    whole, rest = divmod(bps, 100)
    return f"{whole}{f'.{rest:02}'.rstrip('0') if rest else ''} %"
