"""What a verification says in each state, in the report, on the page and of an export: no more than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.audit import Finding, Trust, VerificationReport
from core.audit.export_proof import ExportVerification
from core.audit.keys import PublicKey
from core.audit.pinned_keys import Pin
from core.audit.verification_report import UNPROVED, WORDS
from dashboard.compliance.audit_verification import VERDICTS

KEY = PublicKey.of(bytes(range(32)))
assert KEY is not None
PIN = Pin(1, KEY, datetime(2026, 3, 1, tzinfo=UTC), 0, b"", None, b"")
WELL = VerificationReport(
    rows=40, seals=4, signed=4, unsigned=0, open_rows=0, pinned=PIN, trust=Trust(KEY.fingerprint, "own")
)


def found(wrong: str) -> dict[str, Any]:
    return {"findings": (Finding("seal", wrong, id=1, seal=1, why="elsewhere"),)}


STATES: dict[
    str, tuple[dict[str, Any], str, str]
] = {  # what is so → the verdict, and what must be said of it
    "all well": ({}, "intact", "All 40 rows under 4 seals are as they were sealed, by the signatures of key"),
    "an empty log": (
        {"rows": 0, "seals": 0, "signed": 0, "pinned": None},
        "unsealed",
        "so nothing is proved",
    ),
    "nothing sealed": (
        {"rows": 0, "seals": 0, "signed": 0, "open_rows": 3},
        "unsealed",
        "3 rows are not sealed",
    ),
    "nothing signed": (
        {"signed": 0, "unsigned": 4},
        "unsigned",
        "the seals in the database alone: none is signed",
    ),
    "the last not signed": (
        {"signed": 3, "unsigned": 1},
        "intact",
        "1 seal is not signed yet: only the database",
    ),
    "key not known": ({"trust": Trust()}, "unknown_key", "seen here for the first time: compare it"),
    "key other": (found("other_key"), "unproved", "Everything may have been written and signed again"),
    "key not pinned": (found("not_pinned"), "unproved", "so no signature can be believed"),
    "key lost": (found("not_signed"), "unproved", "neither it nor any after it is signed"),
    "checkpoints missing": (found("no_checkpoints"), "unproved", "no checkpoints for them"),
    "altered": (found("altered"), "altered", "was altered after it was sealed"),
    "files not read": ({"files": 7}, "intact", "7 evidence files were not read."),
    "files read": ({"files": 7, "files_read": 7}, "intact", "7 evidence files were read and have the bytes"),
    "from before hashes": ({"older": 2}, "intact", "nothing proves those"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_report_says_what_is_known(state: str) -> None:
    facts, verdict, said = STATES[state]
    report = replace(WELL, **facts)
    assert report.verdict == verdict
    assert said in report.text
    proved = "are as they were sealed" in report.text
    assert proved == (verdict in ("intact", "unsigned", "unknown_key"))
    assert (VERDICTS[report.verdict][1] == "good") == (verdict == "intact"), "only what is proved is green"


def test_every_finding_either_altered_the_record_or_left_it_unproved() -> None:
    assert WORDS.keys() > UNPROVED
    assert {replace(WELL, **found(wrong)).verdict for wrong in UNPROVED} == {"unproved"}
    assert {replace(WELL, **found(wrong)).verdict for wrong in WORDS.keys() - UNPROVED} == {"altered"}


PROOF = ExportVerification(12, "ab:cd", True, {}, "2026-03-04T10:00:00", 9, 0)


@pytest.mark.parametrize(
    ("also", "said", "unsaid"),
    [
        ({}, "All 12 rows are as the desk exported them", "not known"),
        ({"known": False}, "It is not known here whether that is the desk's key", "the desk exported"),
        ({"seal": None}, "Nothing was signed then", "Seal"),
        ({"rows": 1, "filter": {"log": "x"}}, "The one row is as the desk exported it", "the whole log"),
        ({"wrong": ("Entry 3 is missing.",)}, "Entry 3 is missing.", "as the desk"),
    ],
)
def test_an_export_is_only_the_desks_where_its_key_is_known(also: Any, said: str, unsaid: str) -> None:
    text = replace(PROOF, **also).text()
    assert said in text
    assert unsaid not in text
