"""OFX, 1.x (SGML, where an element need not be closed) and 2.x (XML): `STMTRS` is a statement, `STMTTRN` a line.

It is read as tags and texts and not as XML, so there is no entity that could be expanded. The closing balance is
LEDGERBAL; an opening one does not exist, so it is that less the lines.
"""

from __future__ import annotations

import html
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
from core.money import CURRENCIES
from core.rules.bank_amounts import NoAmount, minor_units, shown

TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]{0,40})\s*/?>([^<]*)")
DAY = re.compile(r"(\d{4})(\d{2})(\d{2}).{0,30}")
PLACES = ("STMTTRN", "LEDGERBAL", "BANKACCTFROM", "BANKTRANLIST", "STMTRS")


@dataclass(frozen=True)
class Token:
    number: int
    closes: bool
    name: str
    text: str


def read(file: str, content: bytes) -> Events:
    """Raises `StatementUnreadable`."""
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", content, re.IGNORECASE):
        what = "it declares a document type, and statements have none"
        raise StatementUnreadable(file=file, place="its beginning", what=what)
    return _Reader(file).events(_tokens(file, content))


def _encoding(content: bytes) -> str | None:
    head = content[:1_000].upper()
    if b"<?XML" in head or b"ENCODING:UTF-8" in head or b"ENCODING:UNICODE" in head:
        return None
    return "cp1252" if b"CHARSET:1252" in head or b"ENCODING:USASCII" in head else None


def _tokens(file: str, content: bytes) -> Iterator[Token]:
    """Tag by tag, each with the text after it; a text that goes on in the next line is joined."""
    waiting: Token | None = None
    for number, line in texts.numbered(file, content, _encoding(content)):
        start = line.find("<")
        if waiting and (more := (line if start < 0 else line[:start]).strip()):
            waiting = Token(waiting.number, waiting.closes, waiting.name, f"{waiting.text} {more}".strip())
        for found in TOKEN.finditer(line):
            if waiting:
                yield waiting
            text = html.unescape(found[3].strip()).replace("\0", "\ufffd")
            waiting = Token(number, bool(found[1]), found[2].upper(), text)
    if waiting:
        yield waiting


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self._start_over()

    def _start_over(self) -> None:
        self.place: list[str] = []
        self.values: dict[str, dict[str, Token]] = {each: {} for each in PLACES}
        self.began = False

    def events(self, tokens: Iterator[Token]) -> Iterator[Event]:
        number, found = 1, False
        for token in tokens:
            number = token.number
            if token.closes:
                if token.name == "STMTTRN" and self.place[:1] == ["STMTRS"]:
                    yield from self._line(token)
                elif token.name == "STMTRS" and token.name in self.place:
                    yield from self._end(token)
                    found = True
                self._leave(token.name)
            elif token.name in PLACES:
                self.place.append(token.name)
                self.values[token.name] = {} if token.name != "STMTRS" else self.values[token.name]
            elif token.text and self.place:
                self.values[self.place[-1]].setdefault(token.name, token)
        if self.place or not found:
            what = (
                "the file ends inside a statement"
                if self.place
                else "there is no bank statement in it (STMTRS)"
            )
            raise StatementUnreadable(file=self.file, place=f"line {number}", what=what)

    def _leave(self, name: str) -> None:
        if name in self.place:
            del self.place[self.place.index(name) :]
        if name == "STMTRS":
            self._start_over()

    def _begin(self, token: Token) -> Iterator[Begin]:
        if self.began:
            return
        self.began = True
        account = self.values["BANKACCTFROM"]
        bank, number = account.get("BANKID"), account.get("ACCTID")
        if number is None:
            raise self._refuse(token, "the statement does not say of which account it is (ACCTID)")
        yield Begin(
            f"line {token.number}",
            f"{bank.text if bank else ''} {number.text}".strip(),
            self._currency(token),
        )

    def _currency(self, token: Token) -> str:
        found = self.values["STMTRS"].get("CURDEF")
        if found is None or found.text not in CURRENCIES:
            what = f"“{shown(found.text if found else '')}” is not a currency this desk handles"
            raise self._refuse(found or token, what)
        return found.text

    def _line(self, token: Token) -> Iterator[Event]:
        yield from self._begin(token)
        said = self.values["STMTTRN"]
        amount = self._amount(said.get("TRNAMT"), token, "TRNAMT")
        booked = self._day(said.get("DTPOSTED"))
        if booked is None:
            raise self._refuse(token, "the line has no date (DTPOSTED)")
        words = [
            said[name].text
            for name in ("MEMO", "CHECKNUM", "REFNUM")
            if name in said and said[name].text != "0"
        ]
        yield Line(
            f"line {said['TRNAMT'].number}",
            booked,
            self._day(said.get("DTAVAIL")),
            amount,
            said["FITID"].text if "FITID" in said else "",
            said["NAME"].text if "NAME" in said else "",
            " ".join(words),
        )

    def _end(self, token: Token) -> Iterator[Event]:
        yield from self._begin(token)
        balance, period = self.values["LEDGERBAL"], self.values["BANKTRANLIST"]
        closing = self._amount(balance.get("BALAMT"), token, "BALAMT") if balance else None
        since, until = self._day(period.get("DTSTART")), self._day(period.get("DTEND"))
        as_of = self._day(balance.get("DTASOF"))
        yield End(f"line {token.number}", None, closing, since, as_of or until, until)

    def _amount(self, said: Token | None, token: Token, name: str) -> int:
        if said is None:
            raise self._refuse(token, f"there is no amount ({name})")
        try:
            return minor_units(said.text, self._currency(token), decimal=".,", signed=True)
        except NoAmount as problem:
            raise self._refuse(said, f"{problem} ({name})") from None

    def _day(self, said: Token | None) -> date | None:
        if said is None:
            return None
        found = DAY.fullmatch(said.text)
        if found is None:
            raise self._refuse(said, f"“{shown(said.text)}” is not a day ({said.name})")
        try:
            return calendar_day(int(found[1]), int(found[2]), int(found[3]))
        except ValueError as problem:
            raise self._refuse(said, f"{problem} ({said.name})") from None

    def _refuse(self, token: Token, what: str) -> StatementUnreadable:
        return StatementUnreadable(file=self.file, place=f"line {token.number}", what=what)
