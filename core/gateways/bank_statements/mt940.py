"""SWIFT MT940: `:20:` begins a statement, `:61:` is a line and `:86:` its details, `:62F:` the closing balance.

Banks differ in what they write around it (blocks in braces, lines of their own before it, `-` with anything after it),
and in the details, which are kept as text where they follow no form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from core.gateways.bank_statements import texts
from core.gateways.bank_statements.parsed import (
    Begin,
    End,
    Event,
    Events,
    Line,
    StatementUnreadable,
    calendar_day,
)
from core.rules.bank_amounts import NoAmount, minor_units, shown

TAG = re.compile(r":(\d{2}[A-Z]?):(.*)")
BALANCE = re.compile(r"([CD])(\d{2})(\d{2})(\d{2})([A-Z]{3})([^\s]{1,20})\s*")
ENTRY = re.compile(
    r"(?P<yy>\d{2})(?P<mm>\d{2})(?P<dd>\d{2})(?P<entry>\d{4})?(?P<mark>R?[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>[^A-Z]{1,20})(?P<kind>[A-Z][A-Z0-9]{3})(?P<rest>.*)"
)
STRUCTURED = re.compile(r"\d{3}(?:\?\d{2}[^?]*)+")
FIELD = re.compile(r"\?(\d{2})([^?]*)")
PURPOSE = frozenset(range(20, 30)) | frozenset(range(60, 64))
NAME = frozenset({32, 33})
KNOWN = PURPOSE | NAME | {0, 10, 30, 31, 34}
NONE_GIVEN = "NONREF"


@dataclass
class Tag:
    number: int
    name: str
    lines: list[str]

    @property
    def place(self) -> str:
        return f"line {self.number}"


def read(file: str, content: bytes) -> Events:
    """Raises `StatementUnreadable`."""
    return _Reader(file).events(_tags(file, content))


def _tags(file: str, content: bytes) -> Iterator[Tag]:
    """Each tag with the lines that belong to it; what stands outside a statement is passed over."""
    tag: Tag | None = None
    for number, line in texts.numbered(file, content):
        if found := TAG.match(line):
            if tag:
                yield tag
            tag = Tag(number, found[1], [found[2]])
        elif line.startswith("-") and (
            tag is None or tag.name != "86" or line[1:].strip() in ("", "}", "XXX")
        ):
            if tag:
                yield tag
            tag = None
        elif tag is not None and not (tag.name.startswith("20") and line.startswith("{")):
            tag.lines.append(line)
    if tag:
        yield tag


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self._start_over()

    def _start_over(self) -> None:
        self.account, self.reference, self.number = "", "", ""
        self.opening: tuple[int, date, str] | None = None
        self.opened_at = ""
        self.entry: Tag | None = None
        self.details: Tag | None = None

    def events(self, tags: Iterator[Tag]) -> Iterator[Event]:
        last, began = None, False
        for tag in tags:
            last = tag
            match tag.name:
                case "60F" | "60M":
                    self.opening, self.opened_at, began = self._balance(tag), tag.place, True
                    yield Begin(tag.place, self.account or None, self.opening[2], self._name())
                case "61":
                    yield from self._line()
                    self.entry = tag
                case "62F" | "62M":
                    yield from self._line()
                    yield self._end(tag)
                case _:
                    self._note(tag)
        if self.opening is not None and last is not None:
            raise self._refuse(last, "the file ends before the closing balance (:62F:)")
        if not began:
            raise StatementUnreadable(
                file=self.file, place="line 1", what="there is no opening balance (:60F:)"
            )

    def _note(self, tag: Tag) -> None:
        """What is said before a balance or a line, or after a line."""
        match tag.name:
            case "20":
                if self.opening is not None:
                    raise self._refuse(tag, "the statement before it has no closing balance (:62F:)")
                self._start_over()
                self.reference = tag.lines[0].strip()
            case "25":
                self.account = tag.lines[0].strip()
            case "28" | "28C":
                self.number = tag.lines[0].strip()
            case "86" if self.entry is not None:
                self.details = tag

    def _name(self) -> str:
        return " ".join(each for each in (self.reference, self.number) if each)

    def _end(self, tag: Tag) -> End:
        closing, day, currency = self._balance(tag)
        if self.opening is None:
            raise self._refuse(tag, "a closing balance without an opening one (:60F:)")
        opening, _, opened_in = self.opening
        if currency != opened_in:
            raise self._refuse(tag, f"the statement opens in {opened_in} and closes in {currency}")
        at = self.opened_at
        self._start_over()
        return End(tag.place, opening, closing, last_on=day, opening_place=at)

    def _balance(self, tag: Tag) -> tuple[int, date, str]:
        text = tag.lines[0]
        found = BALANCE.fullmatch(text)
        if found is None:
            raise self._refuse(tag, f"“{shown(text)}” is not a balance")
        amount = self._amount(tag, found[6], found[5])
        try:
            day = calendar_day(2000 + int(found[2]), int(found[3]), int(found[4]))
        except ValueError as problem:
            raise self._refuse(tag, f"the day of the balance, {problem}") from None
        return (amount if found[1] == "C" else -amount), day, found[5]

    def _line(self) -> Iterator[Line]:
        """The line that waited for its details."""
        tag, details = self.entry, self.details
        self.entry = self.details = None
        if tag is None:
            return
        if self.opening is None:
            raise self._refuse(tag, "a line before the opening balance (:60F:)")
        found = ENTRY.fullmatch(tag.lines[0].rstrip())
        if found is None:
            raise self._refuse(tag, f"“{shown(tag.lines[0])}” is not a statement line (:61:)")
        amount = self._amount(tag, found["amount"], self.opening[2])
        credit = found["mark"] in ("C", "RD")
        booked, value, odd = self._days(tag, found)
        owner, _, bank = found["rest"].partition("//")
        name, text, remark = _told(details.lines if details else [])
        references = [each.strip() for each in (bank, owner) if each.strip() not in ("", NONE_GIVEN)]
        more = " ".join(each.strip() for each in tag.lines[1:])
        yield Line(
            tag.place, booked, value, amount if credit else -amount, references[0] if references else "", name,
            " ".join(each for each in (text, more, *references[1:]) if each), odd + remark,
        )  # fmt: skip

    def _days(self, tag: Tag, found: re.Match[str]) -> tuple[date, date | None, tuple[str, ...]]:
        """When it was booked and its value date; one that does not exist is told and left empty."""
        year, month = 2000 + int(found["yy"]), int(found["mm"])
        value = booked = None
        odd: list[str] = []
        try:
            value = calendar_day(year, month, int(found["dd"]))
        except ValueError as problem:
            odd.append(f"Line {tag.number} of the file: the value date, {problem}.")
        if entry := found["entry"]:
            turn = int(entry[:2]) - month
            year += 1 if turn < -6 else -1 if turn > 6 else 0
            try:
                booked = calendar_day(year, int(entry[:2]), int(entry[2:]))
            except ValueError as problem:
                odd.append(
                    f"Line {tag.number} of the file: the booking date, {problem}; the value date stands for it."
                )
        day = booked or value
        if day is None:
            raise self._refuse(
                tag, " ".join(odd).partition(": ")[2].rstrip(".") or "there is no booking date"
            )
        return day, value, tuple(odd)

    def _amount(self, tag: Tag, text: str, currency: str) -> int:
        try:
            return minor_units(text, currency, decimal=",")
        except NoAmount as problem:
            raise self._refuse(tag, str(problem)) from None

    def _refuse(self, tag: Tag, what: str) -> StatementUnreadable:
        return StatementUnreadable(file=self.file, place=tag.place, what=what)


def _told(lines: list[str]) -> tuple[str, str, tuple[str, ...]]:
    """Counterparty, text and a remark, of the details of a line."""
    whole = "".join(lines)
    if not re.match(r"\d{3}\?", whole):
        return "", " ".join(each.strip() for each in lines), ()
    fields = FIELD.findall(whole)
    names = [int(name) for name, _ in fields]
    if not STRUCTURED.fullmatch(whole) or len(set(names)) < len(names) or not KNOWN.issuperset(names):
        return "", whole, ("The details do not follow the form that they begin in, and are kept as text.",)
    purpose = "".join(text for name, text in fields if int(name) in PURPOSE)
    kind = " ".join(text for name, text in fields if int(name) == 0)
    return "".join(text for name, text in fields if int(name) in NAME), f"{kind} {purpose}".strip(), ()
