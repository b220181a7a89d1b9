"""Bank statements as a bank writes them, in CAMT.053, MT940 and BAI2: for the demo, and for tests of their readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

from core.money import Money

CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True)
class DemoLine:
    """Above zero money came in."""

    day: date
    amount: Money
    reference: str = ""
    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class DemoStatement:
    """One statement of one account."""

    account: str
    reference: str
    opening: Money
    first_on: date
    last_on: date
    entries: Sequence[DemoLine]

    @property
    def closing(self) -> Money:
        return sum((each.amount for each in self.entries), self.opening)


def camt053(*sheets: DemoStatement) -> bytes:
    statements = "".join(map(_camt_statement, sheets))
    made = f"{sheets[0].last_on}T23:00:00+00:00"
    head = f"<GrpHdr><MsgId>{escape(sheets[0].reference)}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>"
    body = f'<Document xmlns="{CAMT}">\n<BkToCstmrStmt>\n{head}\n{statements}</BkToCstmrStmt>\n</Document>\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


def _camt_statement(sheet: DemoStatement) -> str:
    kind = "IBAN" if sheet.account[:2].isalpha() else "Othr"
    number = escape(sheet.account) if kind == "IBAN" else f"<Id>{escape(sheet.account)}</Id>"
    return (
        f"<Stmt>\n<Id>{escape(sheet.reference)}</Id>\n"
        f"<FrToDt><FrDtTm>{sheet.first_on}T00:00:00</FrDtTm><ToDtTm>{sheet.last_on}T23:59:59</ToDtTm></FrToDt>\n"
        f"<Acct><Id><{kind}>{number}</{kind}></Id><Ccy>{sheet.opening.currency}</Ccy></Acct>\n"
        + _camt_balance("OPBD", sheet.opening, sheet.first_on)
        + _camt_balance("CLBD", sheet.closing, sheet.last_on)
        + "".join(map(_camt_entry, sheet.entries))
        + "</Stmt>\n"
    )


def _camt_balance(code: str, amount: Money, day: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_camt_amount(amount)}<Dt><Dt>{day}</Dt></Dt></Bal>\n"


def _camt_entry(entry: DemoLine) -> str:
    side = "Dbtr" if entry.amount.minor >= 0 else "Cdtr"
    return (
        f"<Ntry>{_camt_amount(entry.amount)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{entry.day}</Dt></BookgDt>"
        f"<ValDt><Dt>{entry.day}</Dt></ValDt><AcctSvcrRef>{escape(entry.reference)}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><RltdPties><{side}><Pty><Nm>{escape(entry.name)}</Nm></Pty></{side}></RltdPties>"
        f"<RmtInf><Ustrd>{escape(entry.text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
    )


def _camt_amount(amount: Money) -> str:
    side = "CRDT" if amount.minor >= 0 else "DBIT"
    return f'<Amt Ccy="{amount.currency}">{abs(amount).major()}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def mt940(*sheets: DemoStatement) -> bytes:
    return "".join(map(_mt940_statement, sheets)).encode()


def _mt940_statement(sheet: DemoStatement) -> str:
    lines = [f":20:{sheet.reference[:16]}", f":25:{sheet.account}", ":28C:1/1"]
    lines.append(f":60F:{_mt940_balance(sheet.opening, sheet.first_on)}")
    for each in sheet.entries:
        mark = "C" if each.amount.minor >= 0 else "D"
        amount = abs(each.amount).major().replace(".", ",")
        amount = amount if "," in amount else f"{amount},"
        lines.append(f":61:{each.day:%y%m%d%m%d}{mark}{amount}NTRF{each.reference[:16] or 'NONREF'}")
        lines.append(f":86:{' '.join(part for part in (each.name, each.text) if part)}")
    lines.append(f":62F:{_mt940_balance(sheet.closing, sheet.last_on)}")
    return "\r\n".join([*lines, "-", ""])


def _mt940_balance(amount: Money, day: date) -> str:
    figures = abs(amount).major().replace(".", ",")
    figures = figures if "," in figures else f"{figures},"
    return f"{'C' if amount.minor >= 0 else 'D'}{day:%y%m%d}{amount.currency}{figures}"


def bai2(sheet: DemoStatement) -> bytes:
    """One day's; the date of its group is its last."""
    day, opening, closing = sheet.last_on, sheet.opening.minor, sheet.closing.minor
    lines = [f"03,{sheet.account},{sheet.opening.currency},010,{opening},,,015,{closing},,/"]
    total = opening + closing
    for each in sheet.entries:
        code = "142" if each.amount.minor >= 0 else "455"
        total += abs(each.amount.minor)
        text = " ".join(part for part in (each.name, each.text) if part).replace("/", " ")
        lines.append(f"16,{code},{abs(each.amount.minor)},Z,{each.reference},,{text}")
    lines.append(f"49,{total},{len(lines) + 1}/")
    head = [
        f"01,BANK,DESK,{day:%y%m%d},0600,1,,,2/",
        f"02,DESK,BANK,1,{day:%y%m%d},,{sheet.opening.currency},2/",
    ]
    foot = [f"98,{total},1,{len(lines) + 2}/", f"99,{total},1,{len(lines) + 4}/"]
    return "\n".join([*head, *lines, *foot, ""]).encode()
