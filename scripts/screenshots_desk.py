"""The desk that is photographed: a demo of its own in a folder that is thrown away, on a day that never changes.

The same seed, the same day and a clock that stands still make the same pictures: no countdown has moved on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from core.clock import SimulatedClock
from core.config import Settings
from core.db import Database
from core.demo import settings_file
from core.demo.run import SEED, Demo, as_environment, free_port
from core.desk import Desk
from core.gateways.stripe_sandbox import SandboxControl

TODAY = datetime(2026, 11, 20, 15, 40, tzinfo=UTC)


class Studio(Demo):
    """The demo with another clock, and without a worker: nothing on it changes by itself."""

    def _endpoint(self, sandbox: SandboxControl, settings: Settings) -> str:
        sandbox.set_clock(TODAY)
        return ""

    def _launch(self, settings: Settings) -> None:
        environment = as_environment(settings)
        settings_file.remember(self.home, environment)
        command = ("-m", "scripts.screenshots_desk", "--port", str(self.port))
        self._answering(self._spawn("dashboard", *command, environment=environment))


@contextmanager
def a_studio(scale: float) -> Iterator[tuple[str, Database]]:
    """Its address, and its database to look for what is worth a picture."""
    home = Path(tempfile.mkdtemp(prefix="escrow-desk-pictures-"))
    home.chmod(0o711)  # PostgreSQL may run as another user
    studio = Studio(home, free_port(), reset=False, seed=SEED, console=Console(), scale=scale, today=TODAY)
    try:
        with studio.stack:
            studio._start()
            settings = settings_file.running(Settings(home=home, database_url=""))
            database = Database(settings.auditor_url, pool_size=1)
            yield f"http://127.0.0.1:{studio.port}", database
            database.dispose()
    finally:
        with suppress(OSError):
            shutil.rmtree(home)
        if home.exists():
            subprocess.run(["rm", "-rf", str(home)], check=True)


def main() -> None:
    """Serve the dashboard at the moment of the pictures."""
    from dashboard import server

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    settings = Settings()
    server.serve(settings, given.port, desk=Desk.open(settings, clock=SimulatedClock(TODAY)))


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    main()
