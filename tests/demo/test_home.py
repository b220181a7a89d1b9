"""A demo starts and resets in its own folder only, and erases what it made there and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.config import Settings
from core.demo import home as demo
from core.demo.home import DemoRuns, ForeignDatabase, LeadsElsewhere, LiveKey, NotADemosHome
from core.embedded_postgres.access import DATABASE, Access
from core.embedded_postgres.place import place_for
from core.home import MARK, HomeMoved, production_home

NOTHING: dict[str, str] = {}
OF_A_DESK = ("evidence/a.bin", "keys/checkpoints.pem", "checkpoints/one.jsonl", "mail/1.eml")


def put(home: Path, *names: str) -> None:
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)


def everything(home: Path) -> dict[str, str]:
    return {str(each.relative_to(home)): each.read_text() for each in home.rglob("*") if each.is_file()}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A demo's home, as one that ran left it."""
    home = tmp_path / "demo"
    demo.claim(home)
    put(home, *OF_A_DESK, "log/worker.log")
    (home / "demo.json").write_text('{"seed": 7, "projects": 3}')
    return home


def test_a_reset_erases_what_the_demo_made_and_keeps_logs_and_what_others_put_there(mine: Path) -> None:
    put(mine, "notes.txt", "pictures/one.png")
    demo.require_erasable(mine, NOTHING)
    demo.erase(mine)
    assert set(everything(mine)) == {MARK, "log/worker.log", "notes.txt", "pictures/one.png"}
    demo.claim(mine)


@pytest.mark.parametrize("name", OF_A_DESK)
def test_a_home_without_the_mark_is_a_desks_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, "notes.txt")
    before = everything(tmp_path)
    for refused in (lambda: demo.require_erasable(tmp_path, NOTHING), lambda: demo.claim(tmp_path)):
        with pytest.raises(NotADemosHome) as caught:
            refused()
        assert str(tmp_path) in caught.value.message
    demo.forget(tmp_path)
    assert everything(tmp_path) == before


def test_a_mark_lists_no_more_than_a_demo_makes(mine: Path) -> None:
    put(mine, "secret/file")
    (mine / MARK).write_text(json.dumps({"files": ["postgres", "secret", "../outside", "mail"]}))
    put(mine.parent, "outside/file")
    demo.forget(mine)
    kept = everything(mine)
    assert "secret/file" in kept
    assert "evidence/a.bin" in kept, "what the mark does not list is not the demo's"
    assert not [name for name in kept if name.startswith("mail/")]
    assert (mine.parent / "outside" / "file").exists()
    for content in ("", "[]", "{}", '{"files": 3}', "\xff"):
        (mine / MARK).write_text(content)
        with pytest.raises(NotADemosHome):
            demo.require_erasable(mine, NOTHING)


def test_a_folder_that_leads_elsewhere_is_not_followed(mine: Path, tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    put(desk, *OF_A_DESK)
    for name in ("evidence", "keys"):
        put(mine, f"{name}/x")
        (mine / name).rename(mine / f"{name}.away")
        (mine / name).symlink_to(desk / name)
        with pytest.raises(LeadsElsewhere):
            demo.require_erasable(mine, NOTHING)
        demo.forget(mine)
        assert set(everything(desk)) == set(OF_A_DESK)
        (mine / name).unlink()
    (tmp_path / "link").symlink_to(desk)
    with pytest.raises(NotADemosHome):
        demo.require_erasable((tmp_path / "link").resolve(), NOTHING)


def test_what_the_shell_says_of_another_desk_refuses_a_reset(mine: Path) -> None:
    before = everything(mine)
    for name in demo.ADDRESSES:
        with pytest.raises(ForeignDatabase) as caught:
            demo.require_erasable(mine, {name: "postgresql://app@db.example/desk"})
        assert name in caught.value.message
    for key in ("sk_live_1", "rk_live_1"):
        with pytest.raises(LiveKey):
            demo.require_erasable(mine, {"STRIPE_API_KEY": key})
        with pytest.raises(LiveKey):
            demo.require_erasable(mine.parent / "nothing", {"STRIPE_API_KEY": key})
    assert everything(mine) == before
    demo.require_erasable(mine, {"STRIPE_API_KEY": "sk_test_1", "DATABASE_URL": ""})


def test_the_demos_own_database_in_the_shell_is_no_obstacle(mine: Path) -> None:
    (mine / "postgres").mkdir()
    access = Access.fresh()
    access.write(mine / "postgres" / "access.json")
    own = access.urls(DATABASE, place_for(mine).socket_path).app_url
    for spelling in (own, own.replace("+psycopg", "")):
        demo.require_erasable(mine, {"DATABASE_URL": spelling})


def test_one_demo_at_a_time(mine: Path) -> None:
    with demo.held(mine), pytest.raises(DemoRuns), demo.held(mine):
        pass
    with demo.held(mine):
        pass


def test_a_demo_from_before_there_were_marks_is_marked_and_one_with_two_desks_in_it_is_not(
    tmp_path: Path,
) -> None:
    put(tmp_path, *OF_A_DESK, "postgres/access.json")
    (tmp_path / "demo.json").write_text('{"seed": 7, "projects": 120}')
    demo.require_erasable(tmp_path, NOTHING)
    put(tmp_path, "checkpoints/two.jsonl")
    with pytest.raises(NotADemosHome):
        demo.require_erasable(tmp_path, NOTHING)
    (tmp_path / "checkpoints" / "two.jsonl").unlink()
    demo.claim(tmp_path)
    assert (tmp_path / MARK).is_file()
    (tmp_path / "elsewhere").mkdir()
    put(tmp_path / "elsewhere", *OF_A_DESK, "demo.json")
    with pytest.raises(NotADemosHome):
        demo.claim(tmp_path / "elsewhere")


def test_production_and_demo_have_homes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mine: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("ESCROW_DESK_HOME", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert Settings().home == production_home() == tmp_path / "state" / "escrow-desk"
    assert Settings().home_here == Path(".escrow-desk"), "without a database it is the demo that is meant"
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/desk")
    assert Settings().home_here == production_home()
    Settings().require_home()
    put(tmp_path / ".escrow-desk", *OF_A_DESK)
    with pytest.raises(HomeMoved) as caught:
        Settings().require_home()
    assert str(tmp_path / ".escrow-desk") in caught.value.message
    monkeypatch.setenv("ESCROW_DESK_HOME", str(tmp_path / ".escrow-desk"))
    Settings().require_home()
    assert Settings().home == tmp_path / ".escrow-desk"
    monkeypatch.delenv("ESCROW_DESK_HOME")
    (tmp_path / ".escrow-desk" / MARK).write_text("{}")
    Settings().require_home()
