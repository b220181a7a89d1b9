"""Making, starting and stopping a cluster. Every step holds the home's lock, so racing openers take turns."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from core.embedded_postgres import process
from core.embedded_postgres.access import DATABASE, OWNER, Access
from core.embedded_postgres.errors import DataDirectoryBroken, OtherMajorVersion
from core.embedded_postgres.place import Place, keys_folder, place_for
from core.embedded_postgres.programs import last_complaint
from core.embedded_postgres.server import Server

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",  # a Unix socket only
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # the desk asks many small questions; compiling a plan costs more than it saves
    "password_encryption": "scram-sha-256",
    "idle_in_transaction_session_timeout": "60s",  # an abandoned transaction would hold up sealing
    "timezone": "UTC",
    "log_timezone": "UTC",
}
PATIENCE = 60.0  # seconds for the processes of a killed server to let go of its memory
STILL_LETTING_GO = ("pre-existing shared memory block", "lock file")


def announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class EmbeddedPostgres:
    """The server of one home (ESCROW_DESK_HOME); `settings` are postgresql.conf parameters, read when it starts."""

    def __init__(
        self, home: Path, *, settings: Mapping[str, str] | None = None, say: Callable[[str], None] = announce
    ) -> None:
        self.home = home.expanduser().resolve()
        self.settings = {**SETTINGS, **process.shared_memory_settings(), **(settings or {})}
        self.say = say

    def start(self) -> Server:
        """The running server, made or started first if need be. Raises the errors of this package."""
        with self._alone() as place:
            set_orphan_aside(place, self.say)
            if not place.data.exists():
                make(place, fast=self.settings.get("fsync") == "off")
                if place.moved:
                    self.say(f"The database is kept in {place.root}: its account cannot reach {place.keys}.")
            access = read_access(place)
            if not answers(place, access):
                launch(place, access, self.settings)
            return Server(place, access, stop=self.stop)

    def stop(self) -> None:
        """Stop it if it runs: open transactions are rolled back, nothing that was committed is lost."""
        if (self.home / "postgres").exists():
            with self._alone() as place:
                process.halt(place)
                place.leave()

    def erase(self) -> None:
        """Stop it and delete its data: what RESET=1 means. The next `start` makes a new, empty cluster."""
        if (self.home / "postgres").exists():
            with self._alone() as place:
                process.halt(place)
                place.leave()
                place.clear()

    @contextmanager
    def _alone(self) -> Iterator[Place]:
        with (keys_folder(self.home) / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # closing the file releases it, also when this process is killed
            yield place_for(self.home)


def make(place: Place, *, fast: bool) -> None:
    """A whole cluster with its logins and database, drafted beside its place and then renamed into it."""
    access, draft, secret = Access.fresh(), place.root / "data.draft", place.root / "password.draft"
    place.prepare()
    shutil.rmtree(draft, ignore_errors=True)  # half made, when an earlier attempt was killed
    secret.unlink(missing_ok=True)
    access.write(place.access_file)
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(access.owner)
    draft.mkdir(mode=0o700)
    try:
        for path in (secret, draft):
            place.account.give(path)
        place.programs.run(
            "initdb", "--pgdata", draft, "--username", OWNER, "--pwfile", secret, "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale-provider=builtin", "--locale=C", "--builtin-locale=C.UTF-8",
            *(["--no-sync"] if fast else []),
        )  # fmt: skip
        sql = "\n".join(access.logins()) + "\n"
        settings = [f"--fsync={'off' if fast else 'on'}", "--exit_on_error=on"]
        place.programs.run("postgres", "--single", "-D", draft, *settings, "postgres", text=sql)
        draft.rename(place.data)
    finally:
        secret.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)


def read_access(place: Place) -> Access:
    try:
        return Access.read(place.access_file)
    except (OSError, ValueError) as error:
        reason = f"its logins in {place.access_file} are lost: {error}"
        raise DataDirectoryBroken(data=place.data, reason=reason, log=place.log) from None


def set_orphan_aside(place: Place, say: Callable[[str], None]) -> None:
    """Data kept away from a home that was deleted since is not that home's any more; the last such is kept."""
    if not place.moved or not place.data.exists() or place.access_file.exists():
        return
    process.halt(place)
    aside = place.root / "data.orphaned"
    shutil.rmtree(aside, ignore_errors=True)
    place.data.rename(aside)
    say(f"The home {place.keys.parent} is new: the database of the earlier one was set aside in {aside}.")


def answers(place: Place, access: Access) -> bool:
    """Whether a server is up, once it has recovered if need be; one that was killed may look alive for a moment."""
    failure = process.wait_until_ready(place, access.port, lambda: process.postmaster(place.data))
    if failure is not None and process.postmaster(place.data):
        raise DataDirectoryBroken(data=place.data, reason=failure, log=place.log)
    return failure is None


def launch(place: Place, access: Access, settings: Mapping[str, str]) -> None:
    """Start it, wait for it, and prove with one login that the database opens."""
    refuse_other_version(place)
    socket = place.socket_folder()
    process.clear_traces(place.data, socket)
    place.log.touch(mode=0o600)
    place.account.give(place.log)
    chosen = {
        **settings,
        "port": str(access.port),
        "unix_socket_directories": '"' + str(socket).replace('"', '""') + '"',
    }
    deadline = time.monotonic() + PATIENCE
    while (failure := process.spawn(place, access.port, chosen)) is not None:
        if not any(words in failure for words in STILL_LETTING_GO) or time.monotonic() > deadline:
            raise DataDirectoryBroken(data=place.data, reason=failure, log=place.log)
        time.sleep(0.1)
    try:
        psycopg.connect(access.urls(DATABASE, socket).owner_url.replace("+psycopg", "", 1)).close()
    except psycopg.OperationalError as error:
        process.halt(place)
        raise DataDirectoryBroken(data=place.data, reason=last_complaint(str(error)), log=place.log) from None


def refuse_other_version(place: Place) -> None:
    try:
        theirs = (place.data / "PG_VERSION").read_text().strip()
    except OSError:
        raise DataDirectoryBroken(data=place.data, reason="it has no PG_VERSION", log=place.log) from None
    if theirs != place.programs.major:
        raise OtherMajorVersion(data=place.data, theirs=theirs, ours=place.programs.major)
