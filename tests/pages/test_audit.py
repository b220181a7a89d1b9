"""The audit log on screen: who may see it, filters in the address, an entry whole, the proof, the export."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core import audit
from core.actions.cases import mediator_assignment
from core.actions.risk import holds
from core.audit import bundle_proof, export_proof, outside_places, proof_file
from core.audit.outside import OutsideUnreachable
from core.db import Database
from core.policy.limits import OUTSIDE_RETRY_LONGEST
from core.processes import exports as making
from core.queries import audit as queries
from core.rules.permissions import TABLE, Permission
from core.worker import upkeep
from dashboard import background_job, metrics, request_context
from dashboard.compliance import audit_filters, audit_verification, exports
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.downloading import offered, taken
from tests.pages.visiting import labels, serve, visit, words, work

NASTY = "![x](http://evil.example/x.png) <img src=x onerror=alert(1)>"


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.fixture
def told(town: Town) -> Told:
    told = builders.in_mediation(town)
    town.act(
        holds.place,
        town.as_staff("cora"),
        milestone_id=told.milestone,
        reason=f"Bank details changed. {NASTY}",
    )
    return told


def seal(town: Town, home: Path) -> None:
    """Until nothing is open: a transaction in another database of the server delays a seal, too."""
    for _ in range(200):
        audit.seal(town.database, audit.signer(home), home / "checkpoints", now=town.now)
        if not town.read(queries.seal_state).open:
            return
        time.sleep(0.05)
    raise AssertionError("a transaction stays open")


# Cora's day begins on the log, so what an address asks for is tried as Ada, who comes to it from another page.


def entries(app: AppTest) -> list[dict[str, Any]]:
    return app.dataframe[0].value.to_dict("records") if app.dataframe else []


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


def ended(app: AppTest, key: str) -> AppTest:
    """The page once the work under this key is over."""
    with suppress(KeyError):
        assert work(app, key).wait(20)
    return app.run()


def test_the_proof_of_an_entry_is_taken_from_its_page_and_holds_elsewhere(
    town: Town, told: Told, tmp_path: Path
) -> None:
    id = int(town.read(lambda s: s.scalar(text("select min(id) from audit_entries"))))
    app = press(visit(town, "cora", "entry", id=id), "Proof of this entry")
    assert "nothing proves it so far" in words(app), "the entry is not sealed yet"
    assert offered(app) == {}
    seal(town, tmp_path)
    app = press(visit(town, "cora", "entry", id=id), "Proof of this entry")
    assert "verify-proof" in words(app)
    answer = taken(app, f"entry-{id}.proof.json")
    key = audit.signer(tmp_path).public.fingerprint
    proof = proof_file.verify(answer.content, name="file", key=key)
    assert (proof.ok, proof.known, proof.entry and proof.entry["id"]) == (True, True, id)
    newest = town.read(
        lambda s: s.execute(text("select * from audit_entries order by id desc limit 1")).one()
    )
    assert (newest.action, newest.object_id) == ("audit:entry:prove", str(id))


def test_the_proof_asks_for_a_fresh_sign_in_on_the_page_and_in_the_action(
    town: Town, told: Told, tmp_path: Path
) -> None:
    seal(town, tmp_path)
    id = int(town.read(lambda s: s.scalar(text("select min(id) from audit_entries"))))
    app = press(visit(town, "cora", "entry", id=id), "Proof of this entry")
    town.now += timedelta(minutes=6)
    late = taken(app, f"entry-{id}.proof.json")
    assert (late.status_code, "Sign in again" in late.text) == (409, True)
    app.run()
    assert offered(app) == {}
    assert "Confirm your identity" in words(app)
    press(app, f"I am {PEOPLE['cora'][0]}")
    assert list(offered(app)) == [f"entry-{id}.proof.json"]


def test_checkpoints_that_do_not_get_outside_are_said_where_people_look(
    town: Town, told: Told, tmp_path: Path
) -> None:
    seal(town, tmp_path)
    desk, said = request_context.desk(), "Checkpoints do not get outside"
    pages = (("fay", "overview"), ("fay", "checks"), ("cora", "audit"))
    assert not any(said in words(visit(town, subject, page)) for subject, page in pages)
    settings = desk.settings.model_copy(update={"outside_checkpoints": tmp_path / "away"})
    desk = replace(desk, settings=settings)
    request_context.use(desk)
    (place,) = outside_places.places(settings)
    with pytest.raises(OutsideUnreachable):
        upkeep.publish(desk, place)
    for subject, page in pages:
        shown = words(visit(town, subject, page))
        assert said in shown, page
        assert "there is no such folder" in shown
    signed = float(town.read(lambda s: s.scalar(text("select count(*) from seals"))))
    assert (
        f'escrow_desk_checkpoints_outside_missing{{place="folder"}} {signed}' in metrics.render(desk).decode()
    )
    assert b'escrow_desk_part_healthy{part="checkpoints_outside"} 0.0' in metrics.render(desk)
    assert "Failing" in words(visit(town, "fay", "checks"))
    (tmp_path / "away").mkdir()
    later = replace(desk, clock=lambda: desk.clock() + OUTSIDE_RETRY_LONGEST)
    assert upkeep.publish(later, place)
    assert not any(said in words(visit(town, subject, page)) for subject, page in pages)
    assert b'escrow_desk_checkpoints_outside_missing{place="folder"} 0.0' in metrics.render(desk)


@pytest.mark.parametrize("subject", ["ada", "cora"])
def test_the_proof_is_for_those_who_may_export(town: Town, told: Told, subject: str) -> None:
    app = visit(
        town, subject, "entry", id=town.read(lambda s: s.scalar(text("select min(id) from audit_entries")))
    )
    role = PEOPLE[subject][1]
    assert ("Proof of this entry" in labels(app)) == (role in TABLE[Permission.EXPORT_AUDIT])


@pytest.mark.parametrize("subject", PEOPLE)
def test_the_log_is_for_those_who_may_read_it(town: Town, told: Told, subject: str) -> None:
    app = visit(town, subject, "audit")
    role = PEOPLE[subject][1]
    assert bool(app.title) == (role in TABLE[Permission.READ_AUDIT])
    assert ("Verify" in labels(app)) == (role in TABLE[Permission.VERIFY_AUDIT])
    assert ("Export" in labels(app)) == (role in TABLE[Permission.EXPORT_AUDIT])


def test_staff_have_names_and_parties_numbers(town: Town, told: Told) -> None:
    people = {row["who"] for row in entries(visit(town, "cora", "audit"))}
    assert {"Cora Nwosu", f"Payer {town.payer_id}", f"Payee {town.payee_id}", "The system"} <= people
    assert not {"Ana Lindqvist", "Ben Okafor"} & people


def test_the_newest_entry_is_on_top(town: Town, told: Told) -> None:
    times = [row["at"] for row in entries(visit(town, "cora", "audit"))]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("asked", "field", "found"),
    [
        ({"action": "staff:hold:"}, "title", {"Hold placed"}),
        ({"action": "staff:hold:*"}, "title", {"Hold placed"}),
        ({"role": "compliance"}, "who", {"Cora Nwosu"}),
        ({"who": "party", "reason": "nothing like this"}, "who", set()),
        ({"who": "Cora Nwosu", "object": "Hold"}, "title", {"Hold placed"}),
        ({"reason": "bank details"}, "title", {"Hold placed"}),
        ({"reason": "%"}, "title", set()),
        ({"case": "D-999"}, "title", set()),
        ({"case": "no case"}, "title", set()),
        ({"when": "dates", "dates": "2020-01-01"}, "title", set()),
    ],
)
def test_filters_stand_in_the_address(
    town: Town, told: Told, asked: dict[str, str], field: str, found: set[str]
) -> None:
    app = visit(town, "ada", "audit", **asked)
    assert {row[field] for row in entries(app)} == found


def test_a_case_and_a_milestone_narrow_the_log(town: Town, told: Told) -> None:
    by_case = entries(visit(town, "ada", "audit", case=f"D-{told.case}"))
    by_milestone = entries(visit(town, "ada", "audit", milestone=f"m{told.milestone}"))
    assert 0 < len(by_case) < len(by_milestone)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("D-42", 42),
        ("d42", 42),
        ("42", 42),
        ("D-", None),
        ("-42", 42),
        ("M-42", None),
        ("4.2", None),
        ("9" * 19, None),
    ],
)
def test_a_case_number_is_read_as_people_write_it(typed: str, number: int | None) -> None:
    assert audit_filters.number_in("case", typed) == number


def test_a_long_log_is_turned_page_by_page(town: Town) -> None:
    def many(session: Any) -> None:
        for number in range(70):
            audit.record(
                session,
                town.as_staff("cora"),
                "staff:desk:try",
                object_kind="desk",
                object_id=number,
                now=town.now,
            )

    town.database.run(many)
    app = visit(town, "ada", "audit", action="staff:desk:try")
    first = [row["id"] for row in entries(app)]
    second = [row["id"] for row in entries(press(app, "Older"))]
    assert (len(first), len(second)) == (50, 20)
    assert min(map(int, first)) > max(map(int, second))
    assert [row["id"] for row in entries(press(app, "Newer"))] == first


def an_entry(town: Town, action: str) -> int:
    query = text("select max(id) from audit_entries where action = :action")
    return int(town.read(lambda s: s.execute(query, {"action": action}).scalar_one()))


@pytest.mark.parametrize("page", ["audit", "entry"])
def test_an_entry_is_shown_whole_and_outsiders_words_do_nothing(town: Town, told: Told, page: str) -> None:
    number = an_entry(town, "staff:hold:place")
    app = visit(town, "ada", page, **{"entry" if page == "audit" else "id": number})
    shown = words(app)
    for expected in (
        "Hold placed",
        "Cora Nwosu",
        f"M-{told.milestone}",
        "Not sealed yet",
        "Bank details changed.",
    ):
        assert expected in shown
    assert "<img" not in "".join(each.value for each in app.html)
    assert NASTY not in "".join(each.value for each in app.markdown)


def test_before_and_after_stand_side_by_side(town: Town, told: Told) -> None:
    town.act(mediator_assignment.assign, town.as_staff("mia"), case_id=told.case, staff_id=town.staff["max"])
    shown = words(visit(town, "cora", "entry", id=an_entry(town, "mediator:ticket:assign")))
    assert "<del>Mia Lund</del>" in shown
    assert "<ins>Max Adler</ins>" in shown


def test_a_decision_says_whether_a_second_person_was_needed(town: Town) -> None:
    builders.decided(town, builders.in_mediation(town))
    shown = words(visit(town, "cora", "entry", id=an_entry(town, "mediator:decision:confirm")))
    assert "Second person" in shown
    assert "Not needed" in shown


def test_an_entry_that_does_not_exist_says_where_to_look(town: Town) -> None:
    assert "There is no entry 999999" in words(visit(town, "cora", "entry", id=999_999))


def test_a_signing_key_that_is_gone_is_an_error_on_the_page(town: Town, told: Told, tmp_path: Path) -> None:
    seal(town, tmp_path)
    key, path = audit.signer(tmp_path).public.fingerprint, tmp_path / "keys" / "checkpoints.pem"
    assert "Nothing is signed" not in words(visit(town, "cora", "audit"))
    assert f"Key {key}, pinned" in words(visit(town, "cora", "audit", show="Seals"))
    away = path.rename(path.with_suffix(".away"))
    shown = words(visit(town, "cora", "audit"))
    assert "Nothing is signed" in shown
    assert key in shown
    away.rename(path)


def test_verify_says_how_much_it_proved_and_remembers_it(town: Town, told: Told, tmp_path: Path) -> None:
    seal(town, tmp_path)
    app = ended(press(visit(town, "cora", "audit"), "Verify"), audit_verification.WORK)
    key = audit.signer(tmp_path).public.fingerprint
    assert f"as they were sealed, by the signatures of key {key}, pinned in this database" in words(app)
    assert "the key in this desk's own home" in words(app)
    press(app, "Hide")
    assert "Intact" in words(app)
    assert "rows under" not in words(app)
    last = app.session_state[audit_verification.LAST]
    app.session_state[audit_verification.LAST] = replace(last, at=last.at - timedelta(days=3))
    assert "not verified since" in words(app.run())
    app.session_state[audit_verification.FAILED] = town.now
    assert "nothing was proved" in words(app.run()), "an older proof is not shown as if it were this one"


def test_verify_names_the_first_entry_that_was_altered(
    town: Town, told: Told, tmp_path: Path, owner: Database
) -> None:
    seal(town, tmp_path)
    number = an_entry(town, "staff:hold:place")
    with owner.transaction() as session:
        session.execute(text("alter table audit_entries disable trigger all"))
        session.execute(text("update audit_entries set reason = 'Nothing.' where id = :id"), {"id": number})
        session.execute(text("alter table audit_entries enable trigger all"))
    shown = words(ended(press(visit(town, "cora", "audit"), "Verify"), audit_verification.WORK))
    assert (
        f"The record was altered. First: Audit entry {number} was altered after it was sealed in seal"
        in shown
    )


def test_the_seals_say_which_of_them_were_signed(town: Town, told: Told, tmp_path: Path) -> None:
    seal(town, tmp_path)
    town.wait(minutes=1)
    town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Once more.")
    seal(town, tmp_path)
    folder = tmp_path / "checkpoints"
    file = next(folder.glob("*.jsonl"))
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    app = visit(town, "ada", "audit", show="Seals")
    found = {row["n"].strip(): row["signed"] for row in app.dataframe[-1].value.to_dict("records")}
    assert [*found.values()] == [""] + ["Yes"] * (len(found) - 1)


@pytest.mark.parametrize("format", list(exports.FORMATS))
def test_the_filtered_entries_leave_with_a_manifest(
    town: Town, told: Told, tmp_path: Path, format: Any
) -> None:
    seal(town, tmp_path)
    app = press(visit(town, "cora", "audit", action="staff:hold:"), "Export")
    app.radio(key="export-format").set_value(format).run()
    app = press(app, "Prepare the file")
    assert making.sweep(request_context.desk()) == 1
    app = app.run()
    (name,) = (each for each in offered(app) if not each.endswith(".manifest.json"))
    content = taken(app, name).content
    assert hashlib.sha256(content).hexdigest() in " ".join(each.value for each in app.code)
    assert an_entry(town, "audit:export:finish")
    assert an_entry(town, "audit:export:download")
    file = tmp_path / name
    file.write_bytes(content)
    if format is exports.Format.BUNDLE:
        proof = bundle_proof.verify(file)
    else:
        manifest = taken(app, f"{name}.manifest.json").content
        file.with_name(f"{name}.manifest.json").write_bytes(manifest)
        proof = export_proof.verify(file)
    assert (proof.ok, proof.rows, proof.filter) == (True, 1, {"action": "staff:hold:"})
    if format in (exports.Format.CSV, exports.Format.JSONL):
        assert "Bank details changed." in content.decode()


def test_work_that_runs_is_not_begun_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    monkeypatch.setattr(background_job, "_place", lambda key: ("", key))
    go = Event()
    first = background_job.begin("work", lambda progress: go.wait(10))
    assert background_job.begin("work", lambda progress: None) is first
    go.set()
    assert first.wait(10)
    assert first.result is True
    assert background_job.of("work") is first
    first.ended -= background_job.KEPT + 1
    other = background_job.begin("other", lambda progress: None)
    assert background_job.of("work") is None
    assert background_job.of("other") is other
    background_job.forget("other")


def test_work_that_fails_keeps_its_error() -> None:
    def fail(progress: Any) -> None:
        raise ValueError("no")

    failed = background_job.Work(fail)
    assert failed.wait(10)
    assert isinstance(failed.error, ValueError)
