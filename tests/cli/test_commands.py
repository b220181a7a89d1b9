"""Each command on a real database: what it does, what it prints, and the same facts as JSON."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core import audit
from core.actions.cases import disputes
from core.audit.filters import LOGS
from core.db import Database
from core.embedded_postgres import Urls
from core.gateways.stripe_sandbox import StripeSandbox
from core.money import Money
from core.records import ApiKey, Installation, Receipt, Staff, StaffRole, WebhookEndpoint
from core.rules import status_labels
from tests import builders
from tests.cli.terminal import Terminal
from tests.sandbox_desk import a_market


def newest_action(town: builders.Town) -> str:
    return (
        town.read(lambda s: s.scalar(text("select action from audit_entries order by id desc limit 1"))) or ""
    )


def decided_case(town: builders.Town) -> builders.Told:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    return told


# -- migrate, check, reconcile --


def test_migrate_makes_an_empty_database_a_desk_and_does_nothing_the_second_time(
    bare_urls: Urls, terminal: Terminal, home: Path
) -> None:
    here = {
        "DATABASE_URL": bare_urls.app_url,
        "DATABASE_OWNER_URL": bare_urls.owner_url,
        "ESCROW_DESK_HOME": str(home),
    }
    first = terminal.run("migrate", "--name", "our-desk", "--json", **here).well().json
    assert (first["installed"], first["applied"][0]) == ("our-desk", "0001")
    again = terminal.run("migrate", "--name", "another", "--json", **here).well().json
    assert again == {"installed": "our-desk", "applied": [], "key": first["key"]}
    assert "our-desk" in terminal.run("migrate", **here).well().out
    database = Database(bare_urls.app_url, pool_size=1)
    with database.reading() as session:
        assert session.scalars(select(Installation.name)).all() == ["our-desk"]
    database.dispose()


def test_check_is_silent_about_lawful_books_and_names_the_rows_of_others(
    terminal: Terminal, town: builders.Town, owner: Database
) -> None:
    told = builders.funded(town)
    assert all(not each["rows"] for each in terminal.run("check", "--json").well().json)
    assert "none" in terminal.run("check").well().out
    with owner.transaction() as session:
        moved = (
            "update payment_orders set held_minor = held_minor - 1, refunded_minor = 1 where held_minor > 0"
        )
        session.execute(text(moved))
    found = terminal.run("check", "--json")
    assert found.code == 1
    broken = {each["invariant"]: each["rows"] for each in found.json if each["rows"]}
    assert broken
    assert str(told.milestone) in json.dumps(broken)
    in_words = terminal.run("check")
    assert in_words.code == 1
    assert all(name in in_words.out for name in broken)


def test_reconcile_matches_every_line_and_says_when_one_does_not(
    database: Database, running_sandbox: StripeSandbox, terminal: Terminal, home: Path
) -> None:
    market = a_market(database, running_sandbox, home)
    market.funded()
    at_stripe = {"STRIPE_API_KEY": running_sandbox.key, "STRIPE_API_BASE": running_sandbox.url}
    well = terminal.run("reconcile", "--json", **at_stripe).well().json
    assert (well["status"], well["breaks"], well["matched"]) == ("CLEAN", 0, well["lines"])
    assert well["lines"] >= 1
    said = terminal.run("reconcile", **at_stripe).well().out
    assert f"Of {well['lines']} lines of Stripe's {well['lines']} match." in said
    assert "On every statement 0 amounts are in suspense, and 0 lines do not match." in said
    assert terminal.run("breaks", "list", "--json", **at_stripe).well().json == []
    assert "No break is open." in terminal.run("breaks", "list", **at_stripe).well().out
    market.control.follow_wall_clock()  # what is a day old already waits for a person elsewhere
    market.control.line("adjustment", -4_711, "USD")
    ahead = terminal.run("reconcile", "--dry-run", "--json", **at_stripe)
    assert (ahead.code, ahead.json["unmatched"]) == (1, 1)
    assert ahead.json["breaks"][0]["class"] == "TIMING"
    assert terminal.run("breaks", "list", "--json", **at_stripe).well().json == [], "nothing of it was kept"
    off = terminal.run("reconcile", "--json", **at_stripe)
    assert (off.code, off.json["status"], off.json["matched"]) == (1, "BREAKS", off.json["lines"] - 1)
    assert f"{off.json['breaks']} breaks" in terminal.run("reconcile", **at_stripe).out
    listed = terminal.run("breaks", "list", "--json", **at_stripe)
    assert (listed.code, [(each["class"], each["statement"]) for each in listed.json]) == (
        1,
        [("TIMING", {"minor": -4_711, "currency": "USD"})],
    )
    in_words = terminal.run("breaks", "list", "--class", "TIMING", **at_stripe).out
    assert "-$47.11" in in_words
    assert re.search(r"B-\d+ +Timing +Open ", in_words)
    assert terminal.run("breaks", "list", "--class", "fee", **at_stripe).code == 0
    refused = terminal.run("breaks", "list", "--as", market.staff["mia"], **at_stripe)
    assert refused.code == 2, "a mediator does not read the books"


# -- the audit log --


def test_the_log_is_sealed_verified_and_a_finding_is_exit_code_1(
    terminal: Terminal, town: builders.Town, owner: Database
) -> None:
    sealed, rows = terminal.run("audit", "seal", "--json").well().json, 0
    while terminal.run("audit", "verify", "--json").json[
        "open_rows"
    ]:  # tests beside this one may be in a transaction
        rows += sealed["rows"]
        sealed = terminal.run("audit", "seal", "--json").well().json
    assert rows + sealed["rows"] > 5
    assert sealed["last_seal"] >= 1
    well = terminal.run("audit", "verify", "--json").well().json
    assert (well["ok"], well["findings"]) == (True, [])
    assert "are as they were sealed" in terminal.run("audit", "verify").well().out
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        first = session.scalar(
            text(
                "update audit_entries set reason = 'x' where id = (select min(id) from audit_entries) returning id"
            )
        )
    found = terminal.run("audit", "verify", "--json")
    assert (found.code, found.json["ok"]) == (1, False)
    assert f"Audit entry {first} was altered" in found.json["findings"][0]["text"]
    in_words = terminal.run("audit", "verify")
    assert in_words.code == 1
    assert f"Audit entry {first} was altered" in in_words.out


def test_the_log_is_verified_by_the_checkpoints_of_another_folder(
    terminal: Terminal, town: builders.Town, home: Path, tmp_path: Path
) -> None:
    while terminal.run("audit", "seal", "--json").well().json["rows"]:
        pass
    outside = shutil.copytree(home / "checkpoints", tmp_path / "outside")
    next((home / "checkpoints").glob("*.jsonl")).unlink()
    assert terminal.run("audit", "verify").code == 1
    terminal.run("audit", "verify", "--checkpoints", outside).well()


@pytest.mark.parametrize("log", LOGS)
def test_one_of_the_logs_that_are_asked_for_is_exported_whole_and_alone(
    terminal: Terminal, town: builders.Town, tmp_path: Path, log: str
) -> None:
    decided_case(town)
    out = tmp_path / "log.csv"
    said = terminal.run("audit", "export", "--out", out, "--log", log, "--json").well().json
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    beginnings = LOGS[log][1]
    everything = town.read(lambda s: s.execute(text("select id, action from audit_entries")).all())
    wanted = [
        number
        for number, action in everything
        if action != "audit:export:finish"  # which is written when the file is whole
        and any(action.startswith(each) if each.endswith(":") else action == each for each in beginnings)
    ]
    assert [int(row["id"]) for row in rows] == sorted(wanted)
    assert wanted, "the story has something for each log"
    manifest = json.loads(Path(said["manifest"]).read_text())
    assert manifest["filter"] == {"log": log}
    assert (
        (manifest["rows"], manifest["sha256"])
        == (said["rows"], said["sha256"])
        == (len(rows), said["sha256"])
    )


def test_an_export_is_private_recorded_and_never_written_over(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    out = tmp_path / "audit.jsonl"
    said = terminal.run("audit", "export", "--out", out, "--format", "jsonl", "--action", "system:desk")
    assert str(out) in said.well().out
    assert [json.loads(line)["action"] for line in out.read_text().splitlines()] == ["system:desk:install"]
    assert out.stat().st_mode & 0o077 == 0
    assert newest_action(town) == "audit:export:finish"
    terminal.run("audit", "export", "--out", out).refuses(f"{out} exists already")
    out.unlink()
    terminal.run("audit", "export", "--out", out).refuses("manifest.json exists already")
    assert not out.exists()
    nowhere = tmp_path / "no" / "folder.csv"
    terminal.run("audit", "export", "--out", nowhere).refuses("There is no folder")


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "bundle"])
def test_an_export_of_each_kind_is_verified_elsewhere_by_the_key_that_was_told(
    terminal: Terminal, town: builders.Town, tmp_path: Path, format: str
) -> None:
    while terminal.run("audit", "seal", "--json").well().json["rows"]:
        pass
    out = tmp_path / f"log.{format}"
    said = terminal.run("audit", "export", "--out", out, "--format", format, "--json").well().json
    elsewhere = Terminal({"ESCROW_DESK_HOME": str(tmp_path / "elsewhere")})
    assert elsewhere.run("audit", "verify-export", out, "--key", said["key"], "--json").well().json["ok"]
    for key in ((), ("--key", "0000:" * 7 + "0000")):
        assert elsewhere.run("audit", "verify-export", out, *key).code == 1, "it believes no other key"
    assert terminal.run("audit", "verify", "--key", "0000:" * 7 + "0000").code == 1
    content = out.read_bytes()
    out.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    assert elsewhere.run("audit", "verify-export", out, "--key", said["key"]).code in (1, 2)


def test_an_export_about_a_case_that_is_not_there_proves_nothing_and_is_refused(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    out = tmp_path / "none.csv"
    terminal.run("audit", "export", "--out", out, "--case", 99_999).refuses("There is no case 99999")
    assert list(tmp_path.glob("none*")) == []
    there = builders.in_mediation(town)
    assert terminal.run("audit", "export", "--out", out, "--case", there.case, "--json").well().json["rows"]


def test_one_entry_and_the_growth_of_the_log_are_proved_elsewhere(
    terminal: Terminal, town: builders.Town, home: Path, tmp_path: Path
) -> None:
    while terminal.run("audit", "seal", "--json").well().json["rows"]:
        pass
    kept = tmp_path / "kept"
    kept.write_text(terminal.run("audit", "checkpoint").well().out)
    id = town.read(lambda s: s.scalar(text("select min(id) from audit_entries")))
    proof, growth = tmp_path / "proof.json", tmp_path / "growth.json"
    said = terminal.run("audit", "prove", id, "--out", proof, "--json").well().json
    assert newest_action(town) == "audit:entry:prove"
    assert proof.stat().st_mode & 0o077 == 0
    terminal.run("audit", "prove", id, "--out", proof).refuses("exists already")
    terminal.run("audit", "prove", 10**9, "--out", tmp_path / "none").refuses("There is no audit entry")
    while terminal.run("audit", "seal", "--json").well().json["rows"]:
        pass
    terminal.run("audit", "prove-growth", kept, "--out", growth).well()
    assert newest_action(town) == "audit:growth:prove"

    elsewhere = Terminal({"ESCROW_DESK_HOME": str(tmp_path / "elsewhere")})
    key = ("--key", said["key"])
    told = elsewhere.run("audit", "verify-proof", proof, *key, "--json").well().json
    assert (told["ok"], told["known"], told["entry"]["id"]) == (True, True, id)
    unknown = elsewhere.run("audit", "verify-proof", proof)
    assert (unknown.code, "with --key" in unknown.out) == (1, True), "a key that nobody knows proves nothing"
    assert "action: system:desk:install" in elsewhere.run("audit", "verify-proof", proof, *key).well().out
    grown = elsewhere.run("audit", "verify-proof", growth, *key, "--since", kept).well().out
    assert "only grew" in grown
    proof.write_text(proof.read_text().replace("system:desk:install", "system:desk:instill"))
    found = elsewhere.run("audit", "verify-proof", proof, *key)
    assert (found.code, "was altered" in found.out) == (1, True)


# -- cases --


def test_cases_are_listed_and_the_decided_ones_alone(terminal: Terminal, town: builders.Town) -> None:
    done = decided_case(town)
    still_open = builders.in_mediation(town)
    reworked = builders.disputed(town)
    town.act(disputes.resubmit, town.payee, milestone_id=reworked.milestone)
    every = terminal.run("case", "list", "--json").well().json
    assert [row["id"] for row in every] == [done.case, still_open.case, reworked.case]
    decided = terminal.run("case", "list", "--decided", "--json").well().json
    assert [(row["id"], row["outcome"]) for row in decided] == [(done.case, "FULL_RELEASE")]
    assert [row["resolution"] for row in every] == ["FULL_RELEASE", None, "REWORKED"]
    in_words = terminal.run("case", "list").well().out
    for row in every:
        for fact in (
            f"D-{row['id']}",
            status_labels.words("case", row["status"]),
            (row["resolution"] or "—").capitalize().replace("_", " "),
            Money.from_dict(row["amount"]).text(),
            row["milestone"],
        ):
            assert fact in in_words


def test_an_empty_desk_has_an_empty_list(terminal: Terminal, town: builders.Town) -> None:
    assert terminal.run("case", "list", "--json").well().json == []


def test_a_case_leaves_as_a_private_file_that_anybody_can_verify_with_nothing_else(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    told, out = decided_case(town), tmp_path / "case.zip"
    said = terminal.run("case", "export", f"D-{told.case}", "--out", out, "--json").well().json
    assert said["file"] == str(out)
    assert out.stat().st_mode & 0o077 == 0
    assert newest_action(town) == "operator:case:export"

    alone = nobodys(tmp_path)
    proof = alone.process("case", "verify", out, "--json").well().json
    assert (proof["ok"], proof["case"], proof["wrong"]) == (True, told.case, None)
    assert (proof["key"], proof["known"]) == (said["key"], False)
    in_words = alone.process("case", "verify", out).well().out
    assert all(what in in_words for what in proof["checked"])
    assert f"Signed by key {said['key']}; compare it with your desk's" in in_words

    content = bytearray(out.read_bytes())
    changed = tmp_path / "changed.zip"
    changed.write_bytes(_with(content, "decision.json", b"0"))
    off = alone.process("case", "verify", changed, "--json")
    assert (off.code, off.json["ok"]) == (1, False)
    assert "decision.json" in off.json["wrong"]
    assert off.json["wrong"] in alone.run("case", "verify", changed).out


def nobodys(tmp_path: Path) -> Terminal:
    """No database, no settings, and no desk at home."""
    return Terminal({"ESCROW_DESK_HOME": str(tmp_path / "nowhere")})


def test_a_case_file_of_another_desk_is_told_apart_by_its_key(
    terminal: Terminal, town: builders.Town, home: Path, tmp_path: Path
) -> None:
    told, out, other = decided_case(town), tmp_path / "case.zip", tmp_path / "other"
    ours = terminal.run("case", "export", told.case, "--out", out, "--json").well().json["key"]
    public = tmp_path / "desk.pub"
    audit.signer(home).public.write(public)
    for given in (ours, ours.replace(":", "").upper(), public):
        said = nobodys(tmp_path).run("case", "verify", out, "--key", given).well()
        assert f"Signed by key {ours}, as it should be." in said.out
    assert terminal.run("case", "verify", out, "--json").well().json["known"], "this desk knows its own key"

    theirs = audit.signer(other).public.fingerprint
    at_home, asked = Terminal({"ESCROW_DESK_HOME": str(other)}), ("case", "verify", out)
    for said in (at_home.run(*asked, "--json"), nobodys(tmp_path).run(*asked, "--key", theirs, "--json")):
        assert said.code == 1
        assert said.json["wrong"] == f"it is signed by key {ours}, and not by {theirs}"
    assert at_home.run(*asked, "--key", ours).well(), "whoever says whose it must be is believed"
    terminal.run(*asked, "--key", "mine").refuses(
        "“mine” is neither a file with a public key nor a fingerprint"
    )
    assert not (tmp_path / "nowhere").exists(), "verifying makes no key"


def _with(content: bytes, name: str, also: bytes) -> bytes:
    """The same zip in which one file has become longer."""
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for each in before.namelist():
            after.writestr(each, before.read(each) + (also if each == name else b""))
    return out.getvalue()


def test_a_case_file_is_refused_where_something_is_in_the_way(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    told, out = decided_case(town), tmp_path / "case.zip"
    before = newest_action(town)
    terminal.run("case", "export", 4_711, "--out", out).refuses("4711")
    assert not out.exists()
    out.write_text("kept")
    terminal.run("case", "export", told.case, "--out", out).refuses(f"{out} exists already")
    assert out.read_text() == "kept"
    terminal.run("case", "export", told.case, "--out", tmp_path).refuses("exists already")
    terminal.run("case", "export", told.case, "--out", out / "case.zip").refuses("There is no folder")
    assert newest_action(town) == before, "nothing left the house, so nothing is recorded"


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04 half a zip"])
def test_what_is_no_case_file_is_not_verified(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "case.zip"
    if content is not None:
        path.write_bytes(content)
    Terminal().run("case", "verify", path).refuses(f"{path} is not a case file")
    Terminal().run("case", "verify", tmp_path).refuses("is not a case file")


# -- people, keys, endpoints, papers --


def test_skills_of_a_colleague_are_changed(terminal: Terminal, town: builders.Town) -> None:
    max_, ada = town.staff["max"], town.staff["ada"]
    change = ("staff", "skills", max_, "--reason", "A course.", "--has")
    said = terminal.run(*change, "PAINTING", "--as", ada, "--json").well().json
    assert (said["name"], said["skills"]) == ("Max Adler", ["PAINTING"])
    assert newest_action(town) == "staff:staff:change_skills"
    terminal.run(*change, "PAINTING", "--as", ada).refuses("has these skills already")
    terminal.run(*change, "ROOFING", "--as", town.staff["mia"]).refuses("You may not")
    terminal.run(*change, "JUGGLING").refuses("JUGGLING", "ROOFING")
    assert "none" in terminal.run(*change[:-1]).well().out
    assert newest_action(town) == "operator:staff:change_skills"


def test_a_group_gives_a_role_by_the_owners_login_until_that_is_ended(
    terminal: Terminal, town: builders.Town
) -> None:
    change = ("staff", "group", "desk-finance", "--reason", "The directory decides.")
    assert "No group gives a role" in terminal.run("staff", "groups").well().out
    terminal.run(*change, "--gives", "finance").well()
    assert newest_action(town) == "operator:role:name_group"
    assert terminal.run("staff", "groups", "--json").well().json == [
        {"group": "desk-finance", "role": "finance"}
    ]
    terminal.run(*change, "--gives", "finance").refuses("gives the role finance already")
    terminal.run(*change, "--gives", "administrator", DATABASE_OWNER_URL="").refuses("permission denied")
    terminal.run(*change).refuses("Say one of")
    assert terminal.run(*change, "--ends", "finance", "--json").well().json["gives"] is False
    assert newest_action(town) == "operator:role:end_group"
    terminal.run(*change, "--ends", "finance").refuses("does not give the role finance")


def test_a_role_is_given_in_an_emergency_and_reviewed(terminal: Terminal, town: builders.Town) -> None:
    builders.second_administrator(town)
    mia, ada, alf = (town.staff[each] for each in ("mia", "ada", "alf"))
    give = ("staff", "emergency", mia, "--reason", "Payroll is stuck.", "--give")
    terminal.run(*give, "finance").refuses("administrators who are named")
    terminal.run(*give, "administrator", "--as", ada).refuses(
        "Nobody is made administrator by one person alone"
    )
    without = {"DATABASE_OWNER_URL": terminal.environment["DATABASE_URL"]}
    terminal.run(*give, "finance", "--as", ada, **without).refuses("DATABASE_OWNER_URL", "the page People")
    given = terminal.run(*give, "finance", "--as", ada, "--json").well().json
    assert (given["staff"], given["role"]) == (mia, "finance")
    assert newest_action(town) == "staff:role:give_in_emergency"
    answer = ("staff", "review", given["id"], "--keep", "--reason", "It was right.")
    terminal.run(*answer, "--as", ada).refuses("another administrator reviews it")
    terminal.run(*answer, "--as", alf, **without).refuses("DATABASE_OWNER_URL", "the page People")
    assert "stays finance" in terminal.run(*answer, "--as", alf).well().out
    assert newest_action(town) == "staff:role:keep_after_emergency"
    terminal.run(*answer, "--as", alf, "--json").refuses("was reviewed already")


def test_staff_join_once_with_their_roles(terminal: Terminal, town: builders.Town) -> None:
    someone = ["--name", "Noor Haddad", "--email", "noor@desk.example", "--issuer", "https://id.test"]
    roles = ["--role", "finance", "--role", "compliance", "--role", "finance"]
    said = terminal.run("staff", "add", *someone, "--subject", "noor", *roles, "--json").well().json
    assert (said["name"], said["roles"]) == ("Noor Haddad", ["finance", "compliance"])
    row = town.read(lambda s: s.get_one(Staff, said["id"]))
    assert (row.issuer, row.subject) == ("https://id.test", "noor")
    held = town.read(lambda s: s.scalars(select(StaffRole.role).where(StaffRole.staff_id == row.id)).all())
    assert sorted(held) == ["compliance", "finance"]
    assert newest_action(town) == "operator:staff:add"
    again = terminal.run("staff", "add", *someone, "--subject", "noor", "--role", "mediator")
    again.refuses("noor of https://id.test is already on the desk, as Noor Haddad")
    terminal.run("staff", "add", *someone, "--subject", " ", "--role", "mediator").refuses(
        "Empty: the subject"
    )
    terminal.run("staff", "add", *someone, "--subject", "x", "--role", "boss").refuses("boss", "mediator")
    words = terminal.run("staff", "add", *someone, "--subject", "other", "--role", "mediator").well().out
    assert "Noor Haddad is member of staff" in words


def test_a_key_is_shown_once_and_opens_nothing_after_its_end(
    terminal: Terminal, town: builders.Town, home: Path
) -> None:
    made = (
        terminal.run("api-key", "create", "--platform", "home_services", "--label", "[red]", "--json")
        .well()
        .json
    )
    assert made["api_key"].startswith("edk_")
    assert made["signing_secret"].startswith("eds_")
    words = terminal.run("api-key", "create", "--platform", "legal_services", "--read-only").well().out
    assert "edk_" in words
    assert "not shown again" in words
    rows = town.read(lambda s: s.scalars(select(ApiKey).order_by(ApiKey.id)).all())
    assert [(row.platform, row.may_write, row.label) for row in rows] == [
        ("home_services", True, "[red]"),
        ("legal_services", False, ""),
    ]
    secret = made["api_key"].split("_", 2)[2]
    assert secret not in town.read(
        lambda s: str(s.execute(text("select api_keys::text from api_keys")).all())
    )
    said = terminal.run("api-key", "revoke", made["api_key"]).well()
    assert secret not in said.out
    first = town.read(lambda s: s.get_one(ApiKey, rows[0].id))
    assert first.revoked_at is not None
    assert (
        terminal.run("api-key", "revoke", made["api_key"], "--json").well().json["revoked"].startswith("edk_")
    )
    terminal.run("api-key", "revoke", "edk_000000").refuses("edk_000000")
    terminal.run("api-key", "create", "--platform", "pet_services").refuses("pet_services", "home_services")
    short = terminal.run("api-key", "create", "--platform", "home_services", API_MASTER_KEY="short")
    short.refuses("API_MASTER_KEY", "32")
    (home / "keys" / "api-master.key").chmod(0o644)
    terminal.run("api-key", "create", "--platform", "home_services").refuses("chmod 600")


def test_an_endpoint_is_told_until_it_is_removed(terminal: Terminal, town: builders.Town) -> None:
    wanted = ["webhook-endpoint", "add", "--platform", "home_services", "--url"]
    made = terminal.run(*wanted, "https://market.test/events", "--json").well().json
    assert made["signing_secret"].startswith("eds_")
    assert "not shown again" in terminal.run(*wanted, "https://market.test/more").well().out
    terminal.run(*wanted, "https://market.test/events").refuses("https://market.test/events")
    terminal.run(*wanted, "http://market.test/events").refuses("https")
    removed = ["webhook-endpoint", "remove", made["id"]]
    assert terminal.run(*removed, "--json").well().json == {"removed": made["id"]}
    assert f"Endpoint {made['id']} is removed." in terminal.run(*removed).well().out
    row = town.read(lambda s: s.get_one(WebhookEndpoint, made["id"]))
    assert row.removed_at is not None
    terminal.run("webhook-endpoint", "remove", 4_711).refuses("4711")


def test_an_operator_sees_who_is_told_how_far_and_tells_it_again(
    terminal: Terminal, town: builders.Town
) -> None:
    assert "There are no endpoints." in terminal.run("webhook-endpoint", "list").well().out
    url = "https://market.test/events"
    made = terminal.run("webhook-endpoint", "add", "--platform", "home_services", "--url", url, "--json")
    builders.funded(town)
    number = made.well().json["id"]
    (row,) = terminal.run("webhook-endpoint", "list", "--json").well().json["endpoints"]
    assert (row["id"], row["url"], row["last_sequence"], row["failed"]) == (number, url, 0, 0)
    assert row["waiting"] > 0
    assert f"waiting {row['waiting']}" in terminal.run("webhook-endpoint", "list").well().out
    replay = ["webhook-endpoint", "replay", number, "--after", 0]
    assert terminal.run(*replay, "--json").well().json == {"endpoint": number, "queued": 0}
    terminal.run("webhook-endpoint", "replay", 4_711, "--after", 0).refuses("4711")


def test_a_receipt_is_written_where_it_was_asked_for(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    builders.funded(town)
    row = town.read(lambda session: session.scalars(select(Receipt)).one())
    out = tmp_path / "receipt.pdf"
    said = terminal.run("receipt", row.id, "--out", out, "--json").well().json
    assert said == {"file": str(out), "number": row.number, "bytes": out.stat().st_size}
    assert out.read_bytes().startswith(b"%PDF")
    assert out.stat().st_mode & 0o077 == 0
    terminal.run("receipt", row.id, "--out", out).refuses("exists already")
    terminal.run("receipt", 999_999, "--out", tmp_path / "other.pdf").refuses("999999")
    again = tmp_path / "again.pdf"
    assert row.number in terminal.run("receipt", row.number.lower(), "--out", again).well().out
    assert terminal.run("verify", again, "--json").well().json["handed_out"][0]["name"] == row.number
    again.write_bytes(again.read_bytes() + b" ")
    forged = terminal.run("verify", again, "--json")
    assert (forged.code, forged.json["genuine"], forged.json["names"]) == (1, False, row.number)


def test_an_event_that_was_given_up_is_taken_up_again_by_somebody(
    terminal: Terminal, town: builders.Town, owner: Database
) -> None:
    assert "No event was given up." in terminal.run("webhook", "list").well().out
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(
            text(
                "insert into webhook_events (id, kind, object_id, payload, status, tries, next_try_at, error,"
                " created_at, received_at, finished_at) values ('evt_1', 'charge.updated', 'ch_1', '{}', 'FAILED', 8,"
                " now(), 'Stripe was down.', now(), now(), now())"
            )
        )
    listed = terminal.run("webhook", "list").well().out
    assert "evt_1" in listed
    assert "Stripe was down." in listed
    again = ("webhook", "retry", "evt_1", "--reason", "The key was wrong")
    terminal.run(*again, "--as", town.staff["mia"]).refuses("finance and administrators")
    assert terminal.run(*again, "--json").well().json == {"event": "evt_1", "status": "RECEIVED"}
    assert newest_action(town) == "operator:webhook_event:retry"
    terminal.run(*again).refuses("evt_1 is received")
    terminal.run("webhook", "retry", "evt_2", "--reason", "x").refuses("evt_2")
