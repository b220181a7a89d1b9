"""The readers of bank statements: what a bank writes comes out as it is, and what is wrong is named with its place."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import mt940
import pytest
from bai2 import bai2
from hypothesis import given
from hypothesis import strategies as st

from core.demo import bank_files
from core.demo.bank_files import DemoLine, DemoStatement
from core.errors import DeskError
from core.gateways.bank_statements import bai2 as bai2_reader
from core.gateways.bank_statements import camt053, csv_file, ofx, recognition, stripe_report
from core.gateways.bank_statements import mt940 as mt940_reader
from core.gateways.bank_statements.parsed import Begin, End, Events, Line
from core.money import Money
from core.rules.bank_statements import StatementFormat
from core.rules.csv_mappings import CsvMapping

IBAN = "NL26VAYB8060476890"
DAY = date(2026, 9, 14)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def lines(events: Events) -> list[Line]:
    return [each for each in events if isinstance(each, Line)]


def refused(read: Callable[[str, bytes], Any], content: bytes) -> str:
    with pytest.raises(DeskError) as problem:
        list(read("a.txt", content))
    return problem.value.message


# What a bank writes

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), max_size=20)
ENTRIES = st.lists(
    st.builds(
        DemoLine,
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.integers(-(10**12), 10**12).map(euros),
        st.from_regex(r"[A-Z0-9]{0,16}", fullmatch=True),
        WORDS,
        WORDS,
    ),
    max_size=8,
)
SHEETS = st.builds(
    DemoStatement,
    st.just(IBAN),
    st.just("S1"),
    st.integers(0, 10**12).map(euros),
    st.just(DAY),
    st.just(DAY),
    ENTRIES,
)


@given(SHEETS)
def test_what_is_written_as_camt053_is_read(sheet: DemoStatement) -> None:
    begin, *found, end = camt053.read("a.xml", bank_files.camt053(sheet))
    assert isinstance(begin, Begin)
    assert isinstance(end, End)
    assert (begin.account, begin.currency) == (IBAN, "EUR")
    assert (end.opening, end.closing) == (sheet.opening.minor, sheet.closing.minor)
    told = [
        (each.booked_on, each.amount, each.reference, each.counterparty, each.text)
        for each in lines(iter(found))
    ]
    assert told == [
        (each.day, each.amount.minor, each.reference, each.name, each.text) for each in sheet.entries
    ]


@given(SHEETS)
def test_what_is_written_as_mt940_is_read_as_the_library_mt_940_reads_it(sheet: DemoStatement) -> None:
    content = bank_files.mt940(sheet)
    begin, *found, end = mt940_reader.read("a.sta", content)
    other = mt940.parse(content.decode())
    assert isinstance(begin, Begin)
    assert isinstance(end, End)
    assert (begin.account, begin.currency) == (IBAN, "EUR")
    assert (end.opening, end.closing) == (sheet.opening.minor, sheet.closing.minor)
    ours = [(each.booked_on, each.value_on, each.amount) for each in lines(iter(found))]
    theirs = [
        (each.data["entry_date"], each.data["date"], int(each.data["amount"].amount * 100)) for each in other
    ]
    assert ours == [(date(*a.timetuple()[:3]), date(*v.timetuple()[:3]), amount) for a, v, amount in theirs]


DAYS_ENTRIES = ENTRIES.map(
    lambda found: [DemoLine(DAY, each.amount, each.reference, "", "Text") for each in found]
)


@given(DAYS_ENTRIES, st.integers(-(10**9), 10**9))
def test_what_is_written_as_bai2_is_read_as_the_library_bai2_reads_it(
    entries: list[DemoLine], opening: int
) -> None:
    sheet = DemoStatement("10200123456", "", Money(opening, "EUR"), DAY, DAY, entries)
    content = bank_files.bai2(sheet)
    begin, *found, end = bai2_reader.read("a.txt", content)
    (group,) = bai2.parse_from_string(content.decode()).children
    (account,) = group.children
    assert isinstance(begin, Begin)
    assert isinstance(end, End)
    assert begin.account == account.header.customer_account_number
    assert (end.opening, end.closing) == (opening, sheet.closing.minor)
    ours = [(abs(each.amount), each.reference) for each in lines(iter(found))]
    assert ours == [(each.amount, each.bank_reference or "") for each in account.children]


SGML = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>CAD<BANKACCTFROM><BANKID>16<ACCTID>000012345678</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260401<DTEND>20260430120000[-5:EST]
<STMTTRN><TRNTYPE>POS<DTPOSTED>20260401122017.000[-5:EST]<TRNAMT>-6.60<FITID>A1<NAME>Caf\xe9 &amp; Co<MEMO>Card
</STMTTRN><STMTTRN><TRNTYPE>CHECK<DTPOSTED>20260402<TRNAMT>316,67<FITID>A2<CHECKNUM>0<NAME>Joe
</STMTTRN></BANKTRANLIST><LEDGERBAL><BALAMT>382.34<DTASOF>20260430</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
XML = b"""<?xml version="1.0" encoding="UTF-8"?><?OFX OFXHEADER="200" VERSION="211"?>
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>CAD</CURDEF>
<BANKACCTFROM><BANKID>16</BANKID><ACCTID>000012345678</ACCTID></BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260401</DTSTART><DTEND>20260430</DTEND>
<STMTTRN><TRNTYPE>POS</TRNTYPE><DTPOSTED>20260401</DTPOSTED><TRNAMT>-6.60</TRNAMT><FITID>A1</FITID>
<NAME>Caf\xc3\xa9 &amp; Co</NAME><MEMO>Card</MEMO></STMTTRN>
<STMTTRN><TRNTYPE>CHECK</TRNTYPE><DTPOSTED>20260402</DTPOSTED><TRNAMT>+316.67</TRNAMT><FITID>A2</FITID>
<NAME>Joe</NAME></STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>382.34</BALAMT><DTASOF>20260430</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS>
</BANKMSGSRSV1></OFX>
"""


@pytest.mark.parametrize("content", [SGML, XML])
def test_ofx_is_read_with_closed_elements_and_without(content: bytes) -> None:
    begin, *found, end = ofx.read("a.ofx", content)
    assert isinstance(begin, Begin)
    assert isinstance(end, End)
    assert (begin.account, begin.currency) == ("16 000012345678", "CAD")
    told = [
        (each.booked_on, each.amount, each.reference, each.counterparty, each.text)
        for each in lines(iter(found))
    ]
    assert told == [
        (date(2026, 4, 1), -660, "A1", "Café & Co", "Card"),
        (date(2026, 4, 2), 31667, "A2", "Joe", ""),
    ]
    assert (end.opening, end.closing, end.first_on, end.last_on) == (
        None,
        38234,
        date(2026, 4, 1),
        date(2026, 4, 30),
    )


GERMAN = CsvMapping(
    booked_on="Buchungstag", value_on="Wertstellung", amount="Betrag", balance="Saldo", counterparty="Empfänger",
    texts=("Zweck", "Art"), date_format="%d.%m.%Y", decimal=",", grouping=".", delimiter=";", encoding="cp1252",
    header_line=3, newest_first=True, account="Konto",
)  # fmt: skip
NEWEST_FIRST = """Kontoauszug;;
;;
Buchungstag;Wertstellung;Empfänger;Zweck;Art;Betrag;Saldo;Konto
02.09.2026;02.09.2026;Müller;"Miete; September";Last;-1.200,00;1.034,56;NL26VAYB8060476890
01.09.2026;;Stripe;po_1;Gut;2.234,56;2.234,56;NL26VAYB8060476890
""".encode("cp1252")


def test_a_banks_csv_is_read_by_its_mapping() -> None:
    begin, *found, end = csv_file.read("a.csv", NEWEST_FIRST, GERMAN, name="bank", currency="EUR")
    assert isinstance(begin, Begin)
    assert isinstance(end, End)
    assert begin.account == IBAN
    told = [
        (each.place, each.booked_on.day, each.amount, each.counterparty, each.text)
        for each in lines(iter(found))
    ]
    assert told == [
        ("line 4", 2, -120000, "Müller", "Miete; September Last"),
        ("line 5", 1, 223456, "Stripe", "po_1 Gut"),
    ]
    assert (end.opening, end.closing) == (0, 103456)


@pytest.mark.parametrize(
    ("columns", "rows", "amounts"),
    [
        ({"credit": "In", "debit": "Out"}, ["5.00,", "0.00,7.10", ",3"], [500, -710, -300]),
        ({"amount": "In", "direction": "Out", "debit_words": ("D", "Soll")}, ["5,C", "7,d"], [500, -700]),
        ({"amount": "In", "brackets": True}, ["(12.00),", "7.00-,"], [-1200, -700]),
    ],
)  # fmt: skip
def test_signs_are_read_as_the_bank_writes_them(
    columns: dict[str, Any], rows: list[str], amounts: list[int]
) -> None:
    mapping = CsvMapping(booked_on="Day", **columns)
    mapping.check()
    content = "\n".join(["Day,In,Out", *(f"2026-09-01,{row}" for row in rows)]).encode()
    events = csv_file.read("a.csv", content, mapping, name="bank", currency="EUR")
    assert [each.amount for each in lines(events)] == amounts


REPORT = b"""balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,description
txn_1,2026-09-14 10:02:11,eur,812.40,12.03,800.37,charge,ch_1,"One, two"
txn_2,2026-09-15 11:30:00,jpy,5000,180,4820,charge,ch_2,Three
"""


def test_stripes_report_is_in_major_units() -> None:
    found = list(stripe_report.read("a.csv", REPORT))
    assert [(each.id, each.currency, each.amount, each.fee, each.net) for each in found] == [
        ("txn_1", "EUR", 81240, 1203, 80037),
        ("txn_2", "JPY", 5000, 180, 4820),
    ]


# What is odd is told, and not repaired

FEBRUARY = b""":20:START
:25:12345678/1020304050
:28C:0/1
:60F:C160229EUR1200,00
:61:1602300301DR6,00N024NONREF
:86:805?00CLOSING?106666?20Fee?32Bank?33 of Ours
:61:1603011299C1,00NTRFREF1//BANK9
:86:805?00CREDIT?20Text with ? a mark
:61:160229RD,50NTRFREF2
:62F:C160301EUR1195,50
-
"""


def test_a_day_that_does_not_exist_is_told_and_not_changed() -> None:
    first, second, third = lines(mt940_reader.read("a.sta", FEBRUARY))
    assert (first.booked_on, first.value_on, first.amount) == (date(2016, 3, 1), None, -600)
    assert first.odd == ("Line 5 of the file: the value date, 30 February 2016 does not exist.",)
    assert (first.counterparty, first.text) == ("Bank of Ours", "CLOSING Fee")
    assert "99 December 2015 does not exist" in second.odd[0]
    assert second.booked_on == date(2016, 3, 1)
    assert "kept as text" in second.odd[1]
    assert second.text == "805?00CREDIT?20Text with ? a mark REF1"
    assert second.reference == "BANK9"
    assert third.amount == 50  # a reversed debit


def test_an_entry_that_is_not_booked_yet_is_left_out_and_counted() -> None:
    sheet = DemoStatement(IBAN, "S1", euros(0), DAY, DAY, [DemoLine(DAY, euros(500))])
    content = bank_files.camt053(sheet).replace(b"<Cd>BOOK</Cd>", b"PDNG")
    *_, end = camt053.read("a.xml", content)
    assert isinstance(end, End)
    assert end.left_out == 1
    assert lines(camt053.read("a.xml", content)) == []


@given(st.integers(-9, 9))
def test_a_booking_just_over_the_years_end_is_of_the_nearer_year(days: int) -> None:
    value = date(2026, 12, 31)
    booked = value + timedelta(days=days)
    text = f":20:S\n:25:1\n:60F:C261231EUR0,\n:61:{value:%y%m%d}{booked:%m%d}C1,NTRFX\n:62F:C261231EUR1,\n-\n"
    (line,) = lines(mt940_reader.read("a.sta", text.encode()))
    assert line.booked_on == booked


# What is wrong is refused, with its place

SHEET = DemoStatement(IBAN, "S1", euros(100), DAY, DAY, [DemoLine(DAY, euros(500), "R1", "Ana", "Text")])
CAMT, SWIFT = bank_files.camt053(SHEET), bank_files.mt940(SHEET)
BAI = bank_files.bai2(DemoStatement("10200123456", "", euros(100), DAY, DAY, SHEET.entries))
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
"""
OUTSIDE = b"""<?xml version="1.0"?>
<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>
"""


def without_header(content: bytes) -> bytes:
    return content.partition(b"\n")[2]


@pytest.mark.parametrize(
    ("read", "content", "words"),
    [
        (camt053.read, CAMT.replace(b">5.00<", b">$5<"), ["line 11 (Amt)", "“$5”", "currency sign"]),
        (camt053.read, CAMT.replace(b">5.00<", b">5.005<"), ["(Amt)", "more digits"]),
        (camt053.read, CAMT.replace(b">5.00<", b">(5.00)<"), ["brackets"]),
        (camt053.read, CAMT.replace(b"2026-09-14</Dt></BookgDt>", b"2026-02-30</Dt></BookgDt>"), ["30 February 2026"]),
        (camt053.read, CAMT.replace(b"CLBD", b"CLAV"), ["no closing booked balance"]),
        (camt053.read, CAMT.replace(b'Ccy="EUR">5', b'Ccy="USD">5'), ["“USD”", "account in EUR"]),
        (camt053.read, CAMT.replace(b"Ccy>EUR", b"Ccy>SEK"), ["“SEK” is not a currency this desk handles"]),
        (camt053.read, CAMT.replace(b"<Sts>", b"<Sts"), ["not well-formed XML", "line 11"]),
        (camt053.read, CAMT[:-40], ["not well-formed XML"]),
        (camt053.read, CAMT.replace(b">5.00<", b">5\x00.00<"), ["line 11: it holds a NUL character. Nothing"]),
        (camt053.read, CAMT.replace(b">5.00<", b">5\x01.00<"), ["XML (PCDATA invalid Char value 1). Nothing"]),
        (camt053.read, b"\n<a/>", ["line 2 (a)", "there is no statement in it"]),
        (camt053.read, b"<a>" * 9_000, ["line 1", "nested deeper than those of any statement"]),
        (camt053.read, BOMB + without_header(CAMT).replace(b"Text", b"&c;"), ["document type"]),
        (camt053.read, OUTSIDE + without_header(CAMT).replace(b"Text", b"&x;"), ["document type"]),
        (ofx.read, b"<!DOCTYPE OFX [<!ENTITY a 'b'>]>" + XML, ["document type"]),
        (mt940_reader.read, SWIFT.replace(b"C5,00", b"C1.234,56"), ["line 5", "“1.234,56”", "thousands separators"]),
        (mt940_reader.read, SWIFT.replace(b"C5,00", b"C5\x00,00"), ["line 5", "NUL"]),
        (mt940_reader.read, SWIFT.replace(b":62F:", b":64:"), ["ends before the closing balance"]),
        (mt940_reader.read, SWIFT.replace(b":60F:", b":99:"), ["before the opening balance"]),
        (mt940_reader.read, SWIFT.replace(b"260914EUR6", b"260230EUR6"), ["30 February 2026"]),
        (mt940_reader.read, SWIFT.replace(b"EUR6", b"USD6"), ["opens in EUR and closes in USD"]),
        (mt940_reader.read, SWIFT.replace(b"2609140914", b"260230"), ["line 5", "30 February 2026 does not exist"]),
        (bai2_reader.read, BAI.replace(b"142,500", b"142,501"), ["line 5", "control total", "off by -1"]),
        (bai2_reader.read, BAI.replace(b"49,1200,3", b"49,1200,4"), ["says that it has 4 records, and has 3"]),
        (bai2_reader.read, BAI.replace(b"142,500", b"142,5.00"), ["line 4", "“5.00”"]),
        (bai2_reader.read, BAI.replace(b"142,500", b"910,500"), ["“910”"]),
        (bai2_reader.read, BAI.partition(b"99,")[0], ["ends before its last record"]),
        (ofx.read, SGML.replace(b"-6.60", b"$120"), ["line 9", "“$120”", "TRNAMT"]),
        (ofx.read, SGML.replace(b"20260402<", b"20262000<"), ["line 10", "month 20"]),
        (ofx.read, SGML.partition(b"<LEDGERBAL>")[0], ["ends inside a statement"]),
        (ofx.read, SGML.replace(b"STMTRS", b"CCSTMTRS"), ["no bank statement"]),
        (stripe_report.read, REPORT.replace(b"812.40", b"812.4x"), ["line 2", "“812.4x”"]),
        (stripe_report.read, REPORT.replace(b"5000,180", b"5000.5,180"), ["line 3", "more digits"]),
        (stripe_report.read, REPORT.replace(b"800.37", b"800.38"), ["line 2", "gross less fee is not net"]),
        (stripe_report.read, REPORT.replace(b"net", b"nett"), ["no column net"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_with_its_place(
    read: Callable[[str, bytes], Any], content: bytes, words: list[str]
) -> None:
    message = refused(read, content)
    assert message.startswith("a.txt, ")
    assert message.endswith("Nothing was imported.")
    assert [each for each in words if each not in message] == [], message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((b"Betrag", b"Summe"), ["line 3", "expects a column “Betrag”", "new version of the mapping"]),
        ((b";", b"|"), ["line 3", "its columns are separated by “|”", "with that delimiter"]),
        ((b"-1.200,00", b"-1200.00"), ["line 4", "“-1200.00”", "column “Betrag”"]),
        ((b"1.034,56", b"1.034,57"), ["line 5", "does not go on", "off by €0.01"]),
        ((b"01.09.2026", b"30.02.2026"), ["line 5", "“30.02.2026”", "30.11.2026"]),
        ((b"2.234,56;2.234,56;NL26", b"2.234,56;2.234,56;DE99"), ["more than one account"]),
        ((b";2.234,56;NL26VAYB8060476890", b""), ["line 5", "ends before the column"]),
        ((b'"Miete; September"', b'"Miete; September'), ["not CSV as the mapping expects"]),
    ],
)
def test_a_mapping_that_no_longer_fits_says_what_it_expected(
    change: tuple[bytes, bytes], words: list[str]
) -> None:
    message = refused(
        lambda file, content: csv_file.read(file, content, GERMAN, name="bank", currency="EUR"),
        NEWEST_FIRST.replace(*change, -1 if change[0] in (b"Betrag", b";") else 1),
    )
    assert [each for each in words if each not in message] == [], message


# What a file is, by its content


def packed(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("statement.xml", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (CAMT, StatementFormat.CAMT053),
        (
            CAMT.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
            StatementFormat.CAMT053,
        ),
        (SWIFT, StatementFormat.MT940),
        (b"{1:F01BANK}{2:I940}{4:\r\n" + SWIFT, StatementFormat.MT940),
        (BAI, StatementFormat.BAI2),
        (SGML, StatementFormat.OFX),
        (b"\n\n" + XML, StatementFormat.OFX),
        (REPORT, StatementFormat.STRIPE_REPORT),
    ],
)
def test_a_file_is_known_by_what_stands_in_it(content: bytes, form: StatementFormat) -> None:
    assert recognition.recognised("x.bin", content, mapped=False) is form


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (packed(CAMT), "compressed"),
        (b"\x1f\x8b\x08" + CAMT, "compressed"),
        (b"%PDF-1.7", "PDF"),
        (b"", "empty"),
        (CAMT.replace(b"camt.053", b"camt.054"), "CAMT.054"),
        (b"<html></html>", "neither CAMT.053 nor OFX"),
        (b"Day,Amount\n2026-09-01,5.00\n", "name the mapping"),
        (b"reporting_category,currency,net\ncharge,eur,5.00\n", "itemized"),
        (b" " * (recognition.LARGEST + 1), "are the most"),
    ],
)
def test_a_file_of_another_kind_says_what_it_is(content: bytes, words: str) -> None:
    with pytest.raises(recognition.FileNotRecognised) as problem:
        recognition.recognised("x.bin", content, mapped=False)
    assert words in problem.value.message


@given(st.binary(max_size=300))
def test_no_bytes_break_a_reader(content: bytes) -> None:
    for read in (camt053.read, ofx.read, mt940_reader.read, bai2_reader.read, stripe_report.read):
        with pytest.raises(DeskError):
            list(read("a.txt", content))
