"""Exports say exactly what the log says, are harmless in a spreadsheet, carry their proof, and are recorded."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import audit_export
from core.audit.export_manifest import Format, Manifest
from core.audit.filters import AuditFilter, written_with
from core.queries import audit as queries
from core.rules.permissions import SYSTEM, Actor, NotPermitted, Role
from tests.audit.conftest import MEDIATOR, NOW, Log
from tests.recorded import recorded

OFFICER = Actor("staff", 4, frozenset({Role.COMPLIANCE}))
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "－1"]
PLAIN = ["", "plain", "'quoted", 'with "quotes"', "a,b;c", "two\nlines", " =1", "ünï ☂", "\\N", "\\.", "null"]
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0@"), max_size=20)


def export(log: Log, format: Format = Format.CSV, **filter: object) -> tuple[str, Manifest]:
    out = io.BytesIO()
    asked = AuditFilter(**filter)  # type: ignore[arg-type]
    made = audit_export.export_audit(
        log.auditor,
        asked,
        format,
        out,
        desk=log.database,
        actor=OFFICER,
        now=NOW,
        signer=log.signer,
        folder=log.folder,
    )
    assert hashlib.sha256(out.getvalue()).hexdigest() == made.sha256 == made.manifest.sha256
    return out.getvalue().decode(), made.manifest


def as_rows(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content, newline="")))


def leave(log: Log, **values: object) -> int:
    facts = {"object_kind": "milestone", "object_id": 1, "now": NOW} | values
    with log.database.transaction() as session:
        return recorded(session, facts.pop("actor", MEDIATOR), facts.pop("action", "a:b:c"), **facts)  # type: ignore[arg-type]


def test_csv_and_json_lines_hold_every_column_of_every_entry(log: Log) -> None:
    log.written(2)
    query = "select column_name from information_schema.columns where table_name = :table order by ordinal_position"
    columns = [name for (name,) in log.rows(query, table="audit_entries")]
    rows = as_rows(export(log, milestone_id=5)[0])
    lines = [json.loads(line) for line in export(log, Format.JSONL, milestone_id=5)[0].splitlines()]
    assert list(rows[0]) == list(lines[0]) == columns
    assert len(rows) == len(lines) == 6
    assert lines[0]["before"] == json.loads(rows[0]["before"]) == {"a": 1}
    assert datetime.fromisoformat(lines[0]["at"]) == datetime.fromisoformat(rows[0]["at"]) == NOW
    assert rows[0]["at"].endswith("+00")


def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(log: Log) -> None:
    for text in FORMULAS:
        leave(log, reason=text, operation_key=text, object_kind=text, object_id=text)
    rows = as_rows(export(log, action="a:")[0])
    for column in ("reason", "operation_key", "object_kind", "object_id"):
        assert [row[column] for row in rows] == [f"'{text}" for text in FORMULAS]
    lines = export(log, Format.JSONL, action="a:")[0].splitlines()
    assert [json.loads(line)["reason"] for line in lines] == FORMULAS, "JSON Lines holds the exact text"
    assert [audit_export.csv_safe(text) for text in FORMULAS] == [f"'{text}" for text in FORMULAS]


def test_other_texts_leave_as_they_are(log: Log) -> None:
    for text in PLAIN:
        leave(log, reason=text)
    assert [row["reason"] for row in as_rows(export(log, action="a:")[0])] == PLAIN
    lines = export(log, Format.JSONL, action="a:")[0].splitlines()
    assert [json.loads(line)["reason"] for line in lines] == PLAIN
    assert [audit_export.csv_safe(text) for text in PLAIN] == PLAIN


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reason=TEXTS, after=st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_no_cell_begins_like_a_formula_and_json_lines_come_back(
    log: Log, reason: str, after: dict[str, str]
) -> None:
    key = str(leave(log, reason=reason, after=after, action="x:y:z"))
    content, _ = export(log, action="x:")
    cells = [cell for row in csv.reader(io.StringIO(content, newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in audit_export.FORMULA_STARTS and cell]
    *_, last = export(log, Format.JSONL, action="x:")[0].split("\n")[:-1]
    found = json.loads(last)
    assert (str(found["id"]), found["reason"], found["after"]) == (key, reason, after)


def test_the_manifest_says_what_is_in_the_file_and_which_seal_covers_it(log: Log) -> None:
    ids = log.written(2)
    late = log.write(1)
    _, manifest = export(log, milestone_id=5)
    assert (manifest.rows, manifest.first_id, manifest.last_id) == (7, ids[0][0], late[0])
    assert (manifest.seal, manifest.not_sealed) == (2, 1)
    assert manifest.seal_hash == log.ask("select encode(hash, 'hex') from seals where n = 2")
    assert manifest.filter == {"milestone_id": 5}
    assert manifest.checkpoint is not None
    assert manifest.checkpoint.encode() == log.file.read_bytes().splitlines(keepends=True)[-1]
    assert json.loads(manifest.json())["sha256"] == manifest.sha256


def test_an_empty_export_is_a_header_and_a_manifest(log: Log) -> None:
    content, manifest = export(log, milestone_id=999)
    assert content.startswith("id,at,")
    assert content.count("\n") == 1
    assert (manifest.rows, manifest.first_id, manifest.last_id, manifest.not_sealed) == (0, None, None, 0)
    assert export(log, Format.JSONL, milestone_id=999)[0] == ""


def test_an_export_is_recorded_before_it_leaves_and_with_its_fingerprint(log: Log) -> None:
    _, manifest = export(log, action="a:", since=NOW)
    with log.auditor.reading() as session:
        finish, start = queries.page(session, AuditFilter(object_kind="export", object_id=manifest.name))
    assert (start.action, finish.action) == ("audit:export:start", "audit:export:finish")
    assert start.after == {"format": "csv", "filter": {"action": "a:", "since": NOW.isoformat()}}
    assert finish.after is not None
    assert finish.after["sha256"] == manifest.sha256
    assert (finish.actor_id, finish.role) == (4, "compliance")


@pytest.mark.parametrize(
    "actor", [MEDIATOR, Actor("staff", 1, frozenset({Role.ADMINISTRATOR})), Actor("party", 4)]
)
def test_of_all_people_only_compliance_exports_the_log(log: Log, actor: Actor) -> None:
    out = io.BytesIO()
    with pytest.raises(NotPermitted):
        audit_export.export_audit(
            log.auditor,
            AuditFilter(),
            Format.CSV,
            out,
            desk=log.database,
            actor=actor,
            now=NOW,
            signer=log.signer,
            folder=log.folder,
        )
    assert out.getvalue() == b""
    assert log.ask("select count(*) from audit_entries") == 0


def test_an_attempt_to_write_sql_through_a_filter_finds_nothing(log: Log) -> None:
    log.write()
    for text in ("' or true --", "x'; drop table audit_entries; --", "%(limit)s", "\\'"):
        for name in ("action", "object_kind", "object_id", "actor_kind", "role"):
            assert export(log, **{name: text})[1].rows == 0
            with log.auditor.reading() as session:
                assert queries.page(session, AuditFilter(**{name: text})) == []  # type: ignore[arg-type]


# Filters and pages ----------------------------------------------------------------------------------------------------

FILTERS = [
    AuditFilter(),
    AuditFilter(since=NOW + timedelta(hours=3), until=NOW + timedelta(hours=9)),
    AuditFilter(actor_kind="staff", actor_id=2),
    AuditFilter(role="finance"),
    AuditFilter(role="mediator", milestone_id=1),
    AuditFilter(action="mediator:"),
    AuditFilter(action="mediator:decision:confirm"),
    AuditFilter(object_kind="payout"),
    AuditFilter(object_kind="payout", object_id="3"),
    AuditFilter(project_id=1, ticket_id=2),
    AuditFilter(report_id=1),
    AuditFilter(until=NOW),
]


def populated(log: Log) -> None:
    people = [
        SYSTEM,
        Actor("staff", 1, frozenset({Role.MEDIATOR})),
        Actor("staff", 2, frozenset({Role.MEDIATOR, Role.FINANCE})),
        Actor("party", 2),
    ]
    actions = ["mediator:decision:confirm", "mediator:decision:draft", "finance:payout:send", "mediators:x:y"]
    for n in range(48):
        leave(
            log,
            actor=people[n % 4],
            action=actions[n // 4 % 4],
            object_kind=("milestone", "payout")[n % 2],
            object_id=n % 5,
            now=NOW + timedelta(hours=n % 12),
            milestone_id=n % 3,
            project_id=n % 2,
            case_id=n % 4,
            report_id=n % 6 or None,
        )


def fits(entry: queries.LogEntry, filter: AuditFilter) -> bool:
    exact = replace(filter, since=None, until=None, action=None, role=None).given
    return (
        all(getattr(entry, name) == value for name, value in exact.items())
        and (filter.since is None or entry.at >= filter.since)
        and (filter.until is None or entry.at < filter.until)
        and entry.action.startswith(filter.action or "")
        and (filter.role is None or filter.role in (entry.role or "").split(","))
    )


def test_a_filter_finds_what_fits_and_nothing_else_page_by_page(log: Log) -> None:
    populated(log)
    for filter in FILTERS:
        found_by(log, filter)


def found_by(log: Log, filter: AuditFilter) -> None:
    with log.auditor.reading() as session:
        everything = queries.page(session, AuditFilter(), limit=1000)
        every = [entry for entry in everything if entry.object_kind != "export"]
        expected = [entry.id for entry in every if fits(entry, filter)]
        assert [(one.at, one.id) for one in every] == sorted(
            ((one.at, one.id) for one in every), reverse=True
        )
        seen: list[int] = []
        while rows := queries.page(session, filter, before_id=seen[-1] if seen else None, limit=5):
            seen += [row.id for row in rows]
        exports_made = [entry.id for entry in everything if entry.object_kind == "export"]
        assert [id for id in seen if id not in exports_made] == expected
        assert queries.count(session, filter) == queries.EntryCount(len(seen), more=False)
    content, manifest = export(log, **filter.given)
    assert sorted(int(row["id"]) for row in as_rows(content) if row["object_kind"] != "export") == sorted(
        expected
    )
    assert manifest.filter == filter.facts()


def test_a_count_stops_at_its_bound(log: Log) -> None:
    log.write(12)
    with log.auditor.reading() as session:
        assert str(queries.count(session, AuditFilter(), bound=10)) == "10+"
        assert str(queries.count(session, AuditFilter(), bound=12)) == "12"


def test_the_actions_that_occur_are_listed_once(log: Log) -> None:
    with log.auditor.reading() as session:
        assert queries.distinct_actions(session) == []
    populated(log)
    with log.auditor.reading() as session:
        assert queries.distinct_actions(session) == [
            "finance:payout:send",
            "mediator:decision:confirm",
            "mediator:decision:draft",
            "mediators:x:y",
        ]


def test_every_way_to_write_a_role_among_others_is_known() -> None:
    assert len(written_with("finance")) == 8
    assert "compliance,finance,mediator" in written_with("finance")
