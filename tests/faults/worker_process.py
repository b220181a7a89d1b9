"""A worker in a process of its own, to be killed: `python -m tests.faults.worker_process URL HOME SMTP_URL AHEAD`.

Its clock runs AHEAD seconds before the real one, so that the claims of a dead worker are over.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from core import worker
from core.clock import system_clock
from core.db import Database
from tests.desk_fixtures import a_desk

if __name__ == "__main__":
    url, home, smtp_url, ahead = sys.argv[1:]
    shift = timedelta(seconds=int(ahead))
    worker.run(a_desk(Database(url), Path(home), clock=lambda: system_clock() + shift, smtp_url=smtp_url))
