"""The server's process: is it there, is it ready, end it. A process id alone proves nothing; its command line does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from core.embedded_postgres.place import Place
from core.embedded_postgres.programs import last_complaint

READY = 0  # exit status of pg_isready; 1 is starting up, 2 is no answer
RECOVERY = 300.0  # seconds that recovery after a crash may take
IN_BACKGROUND = 'log=$1; shift; "$@" >>"$log" 2>&1 </dev/null & echo $!'
SMALL_SHARED_MEMORY = 512 * 2**20  # bytes; containers often have 64 MiB, too little for parallel queries


def postmaster(data: Path) -> int | None:
    """The id of a live server of this very data directory, else None: a dead or re-used id does not pass."""
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
    command = command_line(pid)
    return pid if "postgres" in command and str(data) in command else None


def command_line(pid: int) -> str:
    """Empty for a process that is gone, and for one that is dead but not yet collected."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


def clear_traces(data: Path, socket: Path) -> None:
    """Remove what a killed server left, once nobody serves `data`. PostgreSQL's own check of the shared memory still
    guards against children that live on."""
    for trace in (data / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
        trace.unlink(missing_ok=True)


def spawn(place: Place, port: int, settings: Mapping[str, str]) -> str | None:
    """Start the server in a session of its own, out of reach of Ctrl-C here, and wait until it answers; the reason when
    it does not. Not through `pg_ctl start`: it hands paths to a shell in quotes that let `$` through."""
    before = place.log.stat().st_size
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    postgres = place.programs.bin / "postgres"
    started = place.account.run(
        "/bin/sh", "-c", IN_BACKGROUND, "sh", place.log, postgres, "-D", place.data, *options
    )
    pid = int(started.stdout)
    return wait_until_ready(place, port, lambda: command_line(pid), log_from=before)


def wait_until_ready(
    place: Place, port: int, alive: Callable[[], object], *, log_from: int | None = None
) -> str | None:
    """None once it answers, else what it said last."""
    socket, deadline = place.socket_folder(), time.monotonic() + RECOVERY
    while place.programs.try_("pg_isready", "-q", "-h", socket, "-p", str(port)).returncode != READY:
        if not alive() or time.monotonic() > deadline:
            said = place.log.read_bytes() if place.log.exists() else b""
            return (
                last_complaint(said[log_from or -5000 :].decode(errors="replace"))
                or "the server does not answer"
            )
        time.sleep(0.02)
    return None


def halt(place: Place) -> None:
    pid = postmaster(place.data)
    if pid is None:
        return
    stopped = place.programs.try_("pg_ctl", "stop", "-D", place.data, "--mode=fast", "--wait", "--timeout=60")
    if stopped.returncode != 0 and postmaster(place.data) == pid:
        os.kill(pid, signal.SIGQUIT)
        while postmaster(place.data) == pid and command_line(pid):
            time.sleep(0.05)


def shared_memory_settings() -> dict[str, str]:
    """Parallel queries need shared memory; where /dev/shm is small (containers) System V's has no such limit."""
    try:
        shm = os.statvfs("/dev/shm")
    except OSError:
        return {}
    small = shm.f_bavail * shm.f_frsize < SMALL_SHARED_MEMORY
    return {"dynamic_shared_memory_type": "sysv"} if small else {}
