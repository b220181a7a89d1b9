"""The wall between the desk and files of outsiders: decoders run in a process of their own, with nothing to steal.

A file that crashes a decoder, loops or eats memory costs that process and nobody else. Answers come back as JSON and
bytes, never as objects that could run something on the way in.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from core.rules import evidence as rules
from core.rules.evidence import EvidenceRefused, InspectionFailed

SECONDS = 20.0
IDLE = 2
USES = 200
MOST_BACK = 64 * 1024 * 1024
ROOT = Path(__file__).resolve().parents[2]
_idle: queue.SimpleQueue[Apart] = queue.SimpleQueue()


class Apart:
    """One such process. It serves up to 200 files, then makes room for a fresh one."""

    def __init__(self) -> None:
        self.uses = 0
        environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        if "SYSTEMROOT" in os.environ:  # Windows does not start a process without it
            environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.gateways.evidence_sandbox_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=ROOT,
            close_fds=True,
        )

    def ask(self, task: str, content: bytes, arguments: dict[str, Any], seconds: float) -> tuple[Any, bytes]:
        """Heading and bytes of the answer. Raises `OSError`, `ValueError` when the process died or was ended."""
        self.uses += 1
        timer = threading.Timer(seconds, self.process.kill)
        timer.start()
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            asked = {"task": task, "arguments": arguments, "size": len(content)}
            self.process.stdin.write(json.dumps(asked).encode() + b"\n" + content)
            self.process.stdin.flush()
            heading = json.loads(self.process.stdout.readline(MOST_BACK))
            size = int(heading["size"])
            if size > MOST_BACK or len(out := self.process.stdout.read(size)) != size:
                raise ValueError("the answer is incomplete")
            return heading, out
        finally:
            timer.cancel()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def ask(
    task: str,
    content: bytes,
    *,
    arguments: dict[str, Any],
    file_name: str = "The file",
    seconds: float = SECONDS,
) -> tuple[dict[str, Any], bytes]:
    """Have `task` done apart: its facts and bytes.

    Raises the refusal that was found there, or `InspectionFailed` when the file broke the process or took too long.
    """
    apart = _take()
    try:
        heading, out = apart.ask(task, content, arguments, seconds)
    except (OSError, ValueError, KeyError, TypeError) as error:
        apart.end()
        raise InspectionFailed(file_name=file_name, why="reading it took too long or failed") from error
    _give_back(apart)
    if "refused" in heading:
        raise _refusal(str(heading["refused"]), heading.get("why"))
    return dict(heading["facts"]), out


def _take() -> Apart:
    while True:
        try:
            apart = _idle.get_nowait()
        except queue.Empty:
            return Apart()
        if apart.process.poll() is None:
            return apart
        apart.end()


def _give_back(apart: Apart) -> None:
    if apart.uses >= USES or _idle.qsize() >= IDLE:
        apart.end()
    else:
        _idle.put(apart)


def _refusal(name: str, why: Any) -> EvidenceRefused:
    kind = getattr(rules, name, None)
    if not (isinstance(kind, type) and issubclass(kind, EvidenceRefused) and isinstance(why, dict)):
        return InspectionFailed(file_name="The file", why="reading it failed")
    return kind(**why)
