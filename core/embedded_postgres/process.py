"""The server's process: is it there, is it ready, end it. A process id alone proves nothing; its command line does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.embedded_postgres.errors import DataDirectoryBroken
from core.embedded_postgres.place import Place
from core.embedded_postgres.programs import last_complaint

READY, STARTING = 0, 1  # exit statuses of pg_isready
RECOVERY = 300.0  # seconds that recovery after a crash may take
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
    if sys.platform.startswith("linux"):
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


def wait_until_ready(place: Place, port: int) -> None:
    socket, deadline = place.socket_folder(), time.monotonic() + RECOVERY
    while True:
        status = place.programs.try_("pg_isready", "-q", "-h", socket, "-p", str(port)).returncode
        if status == READY:
            return
        if postmaster(place.data) is None or time.monotonic() > deadline:
            said = place.log.read_text(errors="replace")[-5000:] if place.log.exists() else ""
            reason = last_complaint(said) or "the server does not answer"
            raise DataDirectoryBroken(data=place.data, reason=reason, log=place.log)
        time.sleep(0.05)


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
