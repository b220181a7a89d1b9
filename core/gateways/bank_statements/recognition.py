"""What a file is, by what stands in it: its name says nothing."""

from __future__ import annotations

import re

from core.gateways.bank_statements import stripe_report, texts
from core.gateways.bank_statements.parsed import FileNotRecognised
from core.rules.bank_statements import StatementFormat

LARGEST = 50_000_000
PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!", b"\x28\xb5\x2f\xfd")
OTHER_CAMT = re.compile(r"camt\.(052|054|056|060)")


def require_size(file: str, size: int) -> None:
    """Before a byte of it is read. Raises `FileNotRecognised`."""
    if size > LARGEST:
        what = f"it has {size / 1e6:,.0f} MB, and {LARGEST / 1e6:,.0f} are the most; ask the bank for shorter periods"
        raise FileNotRecognised(file=file, what=what)
    if size == 0:
        raise FileNotRecognised(file=file, what="it is empty")


def recognised(file: str, content: bytes, *, mapped: bool) -> StatementFormat:
    """`mapped`: a mapping for CSV was named. Raises `FileNotRecognised`."""
    require_size(file, len(content))
    if content.startswith(PACKED):
        raise FileNotRecognised(file=file, what="it is a compressed file; unpack it and import what is in it")
    if content.startswith(b"%PDF"):
        raise FileNotRecognised(
            file=file, what="it is a PDF; ask the bank for CAMT.053, MT940, OFX, BAI2 or CSV"
        )
    found = _by_beginning(file, texts.start(content))
    if found is None and not mapped:
        what = (
            "it is none of CAMT.053, MT940, OFX, BAI2 and Stripe's itemized reports; if it is a bank's CSV, name the "
            "mapping of its columns"
        )
        raise FileNotRecognised(file=file, what=what)
    if found is not None and mapped:
        raise FileNotRecognised(
            file=file, what=f"it is {found.words}, and a mapping is for CSV only; import it without"
        )
    return found or StatementFormat.CSV


def _by_beginning(file: str, text: str) -> StatementFormat | None:
    if text.startswith("<") or "OFXHEADER" in text[:200].upper():
        return _marked_up(file, text)
    if re.match(r"01,[^,\n]*,[^,\n]*,\d{6},", text):
        return StatementFormat.BAI2
    if re.search(r"^:20:", text, re.MULTILINE) or text.startswith("{1:"):
        return StatementFormat.MT940
    header = text.partition("\n")[0].lower()
    if stripe_report.ID in header:
        return StatementFormat.STRIPE_REPORT
    if "reporting_category" in header or "automatic_payout_id" in header:
        raise FileNotRecognised(file=file, what="it is a summary of Stripe's; download the itemized report")
    return None


def _marked_up(file: str, text: str) -> StatementFormat:
    if "OFXHEADER" in text.upper() or re.search(r"<OFX[\s>]", text, re.IGNORECASE):
        return StatementFormat.OFX
    if other := OTHER_CAMT.search(text):
        raise FileNotRecognised(
            file=file, what=f"it is CAMT.{other[1]}, and only CAMT.053 is a statement of a day"
        )
    if "camt.053" in text or "<!DOCTYPE" in text:
        return StatementFormat.CAMT053
    raise FileNotRecognised(file=file, what="it is XML, and neither CAMT.053 nor OFX")
