"""Five minutes to the first success: the page is run as it is written, against a demo."""

from __future__ import annotations

import json
from pathlib import Path

from core.demo.run import free_port
from tests.journeys import quickstart
from tests.journeys.desk import Demo


def test_the_quickstart_works_as_it_is_written(demo: Demo, tmp_path: Path) -> None:
    ended = quickstart.run(tmp_path, demo.home, port=demo.settings.port, receiver=free_port())
    assert ended.returncode == 0, (ended.stdout[-3000:], ended.stderr[-3000:])
    assert "paid out: {'minor': 100000, 'currency': 'USD'}" in ended.stdout
    told = [json.loads(line)["kind"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert {"milestone.status_changed", "payment.state_changed", "payout.status_changed"} <= set(told)
