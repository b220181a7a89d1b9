"""The case file: one zip with everything that a decision stands on, which anybody can verify without the desk.

`export` packs it; `verify` needs neither database nor configuration: it computes every amount and hash again from the
file itself, and names the first thing that is off.
"""

from __future__ import annotations

from core.case_file.packing import CaseFile, NotAsRecorded, export, fault_of
from core.case_file.verification import CaseFileUnreadable, CaseFileVerification, verify

__all__ = [
    "CaseFile",
    "CaseFileUnreadable",
    "CaseFileVerification",
    "NotAsRecorded",
    "export",
    "fault_of",
    "verify",
]
