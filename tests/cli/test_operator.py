"""Every command that changes or exports says who ran it: the machine's account, and a member of staff beside it."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path

import pytest
from sqlalchemy import text

from core.actions.decisions import recorded_decision
from core.cli import operator
from core.money import Money
from core.records import StaffRole
from tests import builders
from tests.cli.terminal import CommandResult, Terminal

HERE = f"{pwd.getpwuid(os.geteuid()).pw_name} on {socket.gethostname()}"


def last(town: builders.Town) -> tuple[str, str, int | None, str | None, dict[str, object] | None]:
    query = "select actor_kind, action, actor_id, role, after from audit_entries order by id desc limit 1"
    row = town.read(lambda s: s.execute(text(query)).one())
    return (row.actor_kind, row.action, row.actor_id, row.role, row.after)


def commands(town: builders.Town, tmp_path: Path) -> dict[str, tuple[object, ...]]:
    told = builders.in_mediation(town)
    receipt = town.read(lambda s: s.scalar(text("select min(id) from receipts")))
    url = "https://market.test/events"
    someone = ("--name", "N", "--email", "n@desk.example", "--issuer", "https://id.test", "--subject", "n")
    return {
        "audit:export:finish": ("audit", "export", "--out", tmp_path / "a.csv"),
        "ticket": ("case", "export", told.case, "--out", tmp_path / "c.zip"),
        "receipt": ("receipt", receipt, "--out", tmp_path / "r.pdf"),
        "staff": ("staff", "add", *someone, "--role", "finance"),
        "api_key": ("api-key", "create", "--platform", "home_services"),
        "webhook_endpoint": ("webhook-endpoint", "add", "--platform", "home_services", "--url", url),
        "replay": ("webhook-endpoint", "replay", 1, "--after", 0),
        "remove": ("webhook-endpoint", "remove", 1),
    }


def test_the_account_of_the_machine_stands_in_the_entry_of_every_command(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    for name, command in commands(town, tmp_path).items():
        terminal.run(*command).well()
        kind, action, number, role, _ = last(town)
        assert (kind, number, role) == ("operator", None, HERE), (name, action)


def test_a_member_of_staff_stands_beside_it_and_has_their_permissions(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    cora, ada, fay = (town.staff[each] for each in ("cora", "ada", "fay"))
    mine: list[object] = ["audit", "export", "--out", tmp_path / "a.csv"]
    terminal.run(*mine, "--as", cora).well()
    assert last(town)[:4] == ("staff", "audit:export:finish", cora, "compliance")
    assert (last(town)[4] or {})["via"] == HERE
    before = last(town)
    terminal.run("audit", "export", "--out", tmp_path / "b.csv", "--as", fay).refuses("compliance")
    assert last(town) == before
    assert not (tmp_path / "b.csv").exists()
    issuer, subject = town.read(
        lambda s: s.execute(text("select issuer, subject from staff where id = :id"), {"id": ada}).one()
    )
    terminal.run("api-key", "create", "--platform", "home_services", "--as", f"{issuer} {subject}").well()
    assert last(town)[:3] == ("staff", "staff:api_key:create", ada)


@pytest.mark.parametrize("given", ["4711", "", "https://id.test nobody", "a b c", "٣", "9" * 30, "-1"])
def test_nobody_is_taken_for_somebody_else(terminal: Terminal, town: builders.Town, given: str) -> None:
    terminal.run("api-key", "create", "--platform", "home_services", "--as", given).refuses(
        "No member of staff matches"
    )


def test_an_account_without_a_name_has_its_number_and_sudo_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert operator.account() == HERE
    monkeypatch.setenv("SUDO_USER", "anna")
    assert "(sudo by anna)" in operator.account()
    monkeypatch.setenv("SUDO_USER", "an\nna")
    assert "sudo" not in operator.account()
    monkeypatch.setattr(os, "geteuid", lambda: 4_711_815)
    assert operator.account().startswith("account 4711815 on ")


# -- joining, changing, leaving --


def leave(terminal: Terminal, number: int, *also: object) -> CommandResult:
    return terminal.run("staff", "deactivate", number, "--reason", "A new post", *also)


def test_who_leaves_is_signed_out_and_can_come_back(terminal: Terminal, town: builders.Town) -> None:
    mia = town.staff["mia"]
    said = leave(terminal, mia, "--json").well().json
    assert (said["active"], said["id"]) == (False, mia)
    assert last(town)[1] == "operator:staff:leave"
    listed = {row["id"]: row for row in terminal.run("staff", "list", "--json").well().json}
    assert not listed[mia]["active"]
    assert "left" in terminal.run("staff", "list").well().out
    leave(terminal, mia).refuses("has left already")
    terminal.run("api-key", "create", "--platform", "home_services", "--as", mia).refuses("does not work")
    assert "works here again" in terminal.run("staff", "reactivate", mia, "--reason", "Back").well().out
    terminal.run("staff", "deactivate", mia, "--reason", " ").refuses("reason")
    tied = terminal.run("staff", "tie", mia, str(town.payer_id), "--reason", "Neighbours").well()
    assert f"is tied to party {town.payer_id}" in tied.out
    assert last(town)[1] == "staff:tie:declare"
    assert "Neighbours" in town.read(
        lambda s: s.scalar(text("select max(reason) from audit_entries where action like '%tie%'"))
    )
    terminal.run("staff", "tie", mia, str(town.payer_id), "--reason", "Cousins").refuses(
        "is tied to party", "already"
    )
    terminal.run("staff", "tie", mia, "99999", "--reason", "Neighbours").refuses("party")


def test_cases_are_handed_over_by_whoever_deactivates(terminal: Terminal, town: builders.Town) -> None:
    told = builders.in_mediation(town)
    mia, max_, ada = (town.staff[each] for each in ("mia", "max", "ada"))
    leave(terminal, mia, "--hand-over", "x=1", "--as", ada).refuses("names no case and mediator")
    leave(terminal, mia, "--hand-over", f"{told.case}={max_}").refuses("may not assign a case")
    said = leave(terminal, mia, "--hand-over", f"D-{told.case}={max_}", "--as", ada, "--json").well().json
    assert said["open_cases"] == 0
    query = text("select mediator_id from cases where id = :id")
    assert town.read(lambda s: s.scalar(query, {"id": told.case})) == max_
    terminal.run("staff", "list", "--as", town.staff["fay"]).refuses("see who works here")
    rows = terminal.run("staff", "list", "--as", ada, "--json").well().json
    assert {"skills", "ties", "title", "last_sign_in"} <= set(rows[0])


def test_a_tie_names_the_cases_and_decisions_that_it_touches(terminal: Terminal, town: builders.Town) -> None:
    decided, open_ = builders.in_mediation(town, total=Money(9_000_000, "USD")), builders.in_mediation(town)
    builders.decided(town, decided)
    mia = town.staff["mia"]
    said = terminal.run("staff", "tie", mia, str(town.payer_id), "--reason", "Neighbours").well().out
    assert f"assigned to them: D-{decided.case}, D-{open_.case}." in said
    assert f"so these return: D-{decided.case}." in said
    told = terminal.run("staff", "tie", mia, str(town.payee_id), "--reason", "Cousins", "--json").well().json
    assert (told["open_cases"], told["undone_decisions"]) == ([decided.case, open_.case], [decided.case])
    with town.database.transaction() as session:
        returned = recorded_decision.changed(session, now=town.now)
    assert len(returned) == 1


def held(town: builders.Town, number: int) -> list[str]:
    wanted = text("select role from staff_roles where staff_id = :id order by role")
    return list(town.read(lambda s: s.scalars(wanted, {"id": number}).all()))


def test_while_one_administrator_works_here_roles_are_given_from_here(
    terminal: Terminal, town: builders.Town
) -> None:
    mia, max_ = town.staff["mia"], town.staff["max"]
    proposed = (
        "staff",
        "role",
        town.staff["fay"],
        "--reason",
        "Audits",
        "--give",
        "compliance",
        "--as",
        town.staff["ada"],
    )
    told = " ".join(terminal.run(*proposed).well().out.split())
    assert "Proposed: compliance. Nobody can approve it" in told
    assert "without --as" in told
    assert "Another administrator approves" not in told
    give = ("staff", "role", mia, "--reason", "The second one", "--give", "administrator")
    told = terminal.run(*give).well().out
    assert "Given by you alone" in told
    assert held(town, mia) == ["administrator", "mediator"]
    kind, action, _, role, after = last(town)
    assert (kind, action, role) == ("operator", "operator:role:grant_alone", HERE)
    assert after is not None
    assert after["roles"] == ["administrator", "mediator"]
    # Two work here now: the account of the machine gives nothing any more, and neither does one of the two.
    more = ("staff", "role", max_, "--reason", "Audits", "--give", "finance")
    terminal.run(*more).refuses("takes both", "--as")
    said = terminal.run(*more, "--as", mia, "--json").well().json
    assert (said["roles"], said["proposed"]) == (["mediator"], ["finance"])
    another = ("staff", "role", town.staff["cora"], "--reason", "Audits", "--give", "finance", "--as", mia)
    assert "Another administrator approves it" in " ".join(terminal.run(*another).well().out.split())
    assert held(town, max_) == ["mediator"]
    terminal.run(*more, "--as", mia).refuses("proposed to give", "the role of")
    terminal.run("staff", "role", mia, "--reason", "x", "--give", "finance", "--as", mia).refuses("Nobody")
    terminal.run("staff", "role", 4_711, "--reason", "x", "--give", "finance", "--as", mia).refuses("4711")
    terminal.run("staff", "role", max_, "--reason", "x").refuses("Name a role")
    someone = ("--name", "N", "--email", "n@desk.example", "--issuer", "https://id.test", "--subject", "n")
    terminal.run("staff", "add", *someone, "--role", "finance").refuses("takes both")
    added = terminal.run("staff", "add", *someone, "--role", "finance", "--as", mia, "--json").well().json
    assert (added["roles"], added["proposed"], held(town, added["id"])) == ([], ["finance"], [])


def test_roles_are_taken_at_once(terminal: Terminal, town: builders.Town) -> None:
    mia = town.staff["mia"]
    change = ("staff", "role", mia, "--reason", "Moves on", "--take", "mediator")
    assert terminal.run(*change, "--json").well().json["roles"] == []
    assert held(town, mia) == []
    kind, action, _, _, after = last(town)
    assert (kind, action, after) == ("operator", "operator:role:take", after)
    terminal.run(*change).refuses("without a role already")


def test_the_last_administrator_stays_and_nobody_changes_themselves(
    terminal: Terminal, town: builders.Town
) -> None:
    administrators = town.read(
        lambda s: s.scalars(
            text("select staff_id from staff_roles where role = 'administrator' order by 1")
        ).all()
    )
    first, *others = administrators
    leave(terminal, first, "--as", first).refuses("Nobody changes their own")
    for each in others:
        leave(terminal, each).well()
    leave(terminal, first).refuses("only administrator")
    change = ("staff", "role", first, "--reason", "x", "--take", "administrator")
    terminal.run(*change).refuses("only administrator")
    assert town.read(lambda s: s.get(StaffRole, (first, "administrator"))) is not None
    leave(terminal, town.staff["fay"], "--as", town.staff["cora"]).refuses("administrator")
