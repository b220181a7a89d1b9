"""ISO 20022 CAMT.053, any version: `Stmt` is a statement, `Ntry` a line, the balances OPBD (or PRCD) and CLBD.

The XML is read with entities off, without network and without huge trees, and a document type is refused before
anything of it is looked at. An entry is forgotten once it is read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date

from lxml import etree

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

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053"
OPENING, PREVIOUS, CLOSING = "OPBD", "PRCD", "CLBD"
NOT_GIVEN = "NOTPROVIDED"


def read(file: str, content: bytes) -> Events:
    """Raises `StatementUnreadable`."""
    found, reader = 0, _Reader(file)
    try:
        for event in reader.events(_parsed(content)):
            found += 1
            yield event
    except etree.XMLSyntaxError as problem:
        raise StatementUnreadable(
            file=file, place=f"line {problem.lineno or 1}", what=_malformed(problem.msg or "")
        ) from None
    if not found:
        what = "there is no statement in it (no element Stmt)"
        raise StatementUnreadable(file=file, place=reader.root, what=what)


def _malformed(problem: str) -> str:
    if "depth" in problem:
        return "its elements are nested deeper than those of any statement"
    if "Char 0x0 " in problem:
        return "it holds a NUL character"
    said = problem.split(", line", maxsplit=1)[0].strip()  # what libxml2 says may end with its own line break
    return f"this is not well-formed XML ({said or 'it ends too early'})"


def _parsed(content: bytes) -> Iterator[tuple[str, etree._Element]]:
    yield from etree.iterparse(
        io.BytesIO(content),
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.root = "line 1"
        self._start_over()

    def _start_over(self) -> None:
        self.began = False
        self.currency = ""
        self.balances: dict[str, tuple[int, date | None, str]] = {}
        self.left_out = 0

    def events(self, parsed: Iterator[tuple[str, etree._Element]]) -> Iterator[Event]:
        depth: list[str] = []
        for event, element in parsed:
            if event == "start":
                if not depth:
                    self.root = _place(element)
                    if element.getroottree().docinfo.doctype:
                        raise self._refuse(element, "it declares a document type, and statements have none")
                depth.append(_name(element))
                continue
            depth.pop()
            match depth[-1:], _name(element):
                case ["Stmt"], "Ntry":
                    yield from self._entry(element)
                    _forget(element)
                case ["Stmt"], "Bal":
                    self._balance(element)
                case _, "Stmt":
                    yield from self._end(element)
                    _forget(element)
                    self._start_over()

    def _begin(self, statement: etree._Element) -> Iterator[Begin]:
        if self.began:
            return
        self.began = True
        account = _text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id")
        self._currency_of(statement)
        sequence = _text(statement, "ElctrncSeqNb") or _text(statement, "LglSeqNb")
        reference = " ".join(each for each in (_text(statement, "Id"), sequence) if each)
        yield Begin(_place(statement), account or None, self.currency, reference)

    def _currency_of(self, statement: etree._Element) -> None:
        found = _text(statement, "Acct/Ccy")
        for path in ("Bal/Amt", "Ntry/Amt"):
            if not found and (amount := _find(statement, path)) is not None:
                found = amount.get("Ccy") or ""
        if found not in CURRENCIES:
            raise self._refuse(statement, f"“{shown(found)}” is not a currency this desk handles")
        self.currency = found

    def _balance(self, element: etree._Element) -> None:
        """Kept if it is an opening or closing booked one: the others are of what may come, or of what is available."""
        code = _text(element, "Tp/CdOrPrtry/Cd")
        if code not in (OPENING, PREVIOUS, CLOSING):
            return
        parent = element.getparent()
        if not self.currency and parent is not None:
            self._currency_of(parent)
        amount = self._amount(element)
        told = (amount, self._day(element, "Dt"), _place(element))
        if self.balances.setdefault(code, told)[0] != amount:
            raise self._refuse(element, f"there are two balances {code} in one statement, and they differ")

    def _entry(self, element: etree._Element) -> Iterator[Event]:
        statement = element.getparent()
        assert statement is not None
        yield from self._begin(statement)
        status = _text(element, "Sts/Cd") or _text(element, "Sts")
        if status not in ("", "BOOK"):
            self.left_out += 1
            return
        amount = self._amount(element)
        booked, value = self._day(element, "BookgDt"), self._day(element, "ValDt")
        odd: tuple[str, ...] = ()
        if booked is None:
            odd = (
                f"Line {element.sourceline} of the file: there is no booking date; the value date stands for it.",
            )
        day = booked or value
        if day is None:
            raise self._refuse(element, "there is no booking date (BookgDt)")
        details = element.findall("{*}NtryDtls/{*}TxDtls")
        reference = _text(element, "AcctSvcrRef") or _text(element, "NtryRef")
        yield Line(
            _place(element), day, value, amount, reference, _counterparty(details, credit=amount >= 0),
            _told(element, details), odd,
        )  # fmt: skip

    def _end(self, statement: etree._Element) -> Iterator[Event]:
        yield from self._begin(statement)
        opening = self.balances.get(OPENING) or self.balances.get(PREVIOUS)
        closing = self.balances.get(CLOSING)
        if opening is None or closing is None:
            missing = "opening booked balance (OPBD)" if opening is None else "closing booked balance (CLBD)"
            raise self._refuse(statement, f"there is no {missing}")
        since, until = self._period(statement)
        _, day, at = closing
        yield End(at, opening[0], closing[0], since, day, until, self.left_out, opening_place=opening[2])

    def _period(self, statement: etree._Element) -> tuple[date | None, date | None]:
        found = _find(statement, "FrToDt")
        if found is None:
            return None, None
        texts = [_text(found, f"{each}DtTm") or _text(found, f"{each}Dt") for each in ("Fr", "To")]
        since, until = (self._day_of(found, each) for each in texts)
        return since, until

    def _amount(self, element: etree._Element) -> int:
        amount = _find(element, "Amt")
        if amount is None:
            raise self._refuse(element, "there is no amount (Amt)")
        if (currency := amount.get("Ccy", "")) != self.currency:
            raise self._refuse(amount, f"an amount in “{shown(currency)}” on an account in {self.currency}")
        try:
            minor = minor_units(amount.text or "", self.currency)
        except NoAmount as problem:
            raise self._refuse(amount, str(problem)) from None
        side = _text(element, "CdtDbtInd")
        if side not in ("CRDT", "DBIT"):
            raise self._refuse(element, f"“{shown(side)}” is neither credit (CRDT) nor debit (DBIT)")
        return minor if side == "CRDT" else -minor

    def _day(self, element: etree._Element, path: str) -> date | None:
        found = _find(element, path)
        return None if found is None else self._day_of(found, _text(found, "Dt") or _text(found, "DtTm"))

    def _day_of(self, element: etree._Element, text: str) -> date | None:
        if not text:
            return None
        parts = text[:10].split("-")
        if (
            len(parts) != 3
            or [len(each) for each in parts] != [4, 2, 2]
            or not text[:10].replace("-", "").isdecimal()
        ):
            raise self._refuse(element, f"“{shown(text)}” is not a day")
        try:
            return calendar_day(*map(int, parts))
        except ValueError as problem:
            raise self._refuse(element, str(problem)) from None

    def _refuse(self, element: etree._Element, what: str) -> StatementUnreadable:
        return StatementUnreadable(file=self.file, place=_place(element), what=what)


def _counterparty(details: list[etree._Element], *, credit: bool) -> str:
    """Who paid, or whom we paid; of a batch nobody."""
    if len(details) != 1:
        return ""
    sides = ("Dbtr", "Cdtr") if credit else ("Cdtr", "Dbtr")
    paths = [f"RltdPties/{side}/{name}" for side in sides for name in ("Nm", "Pty/Nm")]
    return next((found for path in paths if (found := _text(details[0], path))), "")


def _told(entry: etree._Element, details: list[etree._Element]) -> str:
    words = []
    for each in details:
        end_to_end = _text(each, "Refs/EndToEndId")
        words += [end_to_end] if end_to_end not in ("", NOT_GIVEN) else []
        words += [found.text or "" for found in each.findall("{*}RmtInf/{*}Ustrd")]
        words += [found.text or "" for found in each.findall("{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref")]
        words.append(_text(each, "AddtlTxInf"))
    words.append(_text(entry, "AddtlNtryInf"))
    return " ".join(each.strip() for each in words if each.strip())


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _find(element: etree._Element, path: str) -> etree._Element | None:
    return element.find("/".join(f"{{*}}{each}" for each in path.split("/")))


def _text(element: etree._Element, path: str) -> str:
    found = _find(element, path)
    return "" if found is None else (found.text or "").strip()


def _place(element: etree._Element) -> str:
    return f"line {element.sourceline} ({_name(element)})"


def _forget(element: etree._Element) -> None:
    """Of all that is read, only what is asked for again stays in memory."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
