"""Several processes of one command, as children that end together."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType


def side_by_side(command: Sequence[str], number: int) -> int:
    """Start the command so many times, and hand on every request to stop. Where one ends by itself the others are asked
    to stop, too: whoever watches this process starts all of them again. Returns the first exit code that is not 0."""
    children = [subprocess.Popen(command, start_new_session=True) for _ in range(number)]
    running = {child.pid for child in children}
    stopping = False

    def hand_on(asked: int, _: FrameType | None = None) -> None:
        nonlocal stopping
        stopping = True
        for child in running:
            os.kill(child, asked)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, hand_on)
    worst = 0
    while running:
        ended, status = os.wait()
        running.discard(ended)
        worst = worst or abs(os.waitstatus_to_exitcode(status))
        if not stopping:
            hand_on(signal.SIGTERM)
    return worst
