"""Five minutes to the first success, and what comes between: the pages are run as they are written, against a demo."""

from __future__ import annotations

import json
from pathlib import Path

from core.demo.run import free_port
from tests.journeys import quickstart
from tests.journeys.desk import Demo

WALKED = (
    "paid out: {'minor': 100000, 'currency': 'USD'}",
    "waits: payee_account",
    "onboarded and paid",
    "not confirmed in time: not_confirmed",
    "debited after four days",
    "confirmed when they came back",
    "refunded: {'minor': 20000, 'currency': 'USD'}",
    "waits: bank_changed",
    "paid to the new bank",
    "both secrets verify",
)


def test_the_quickstart_and_the_walkthrough_work_as_they_are_written_also_a_second_time(
    demo: Demo, tmp_path: Path
) -> None:
    for _ in range(2):
        ended = quickstart.run(tmp_path, demo.home, port=demo.settings.port, receiver=free_port())
        assert ended.returncode == 0, (ended.stdout[-3000:], ended.stderr[-3000:])
        assert [each for each in WALKED if each not in ended.stdout] == []
        told = [json.loads(line)["kind"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
        assert {"milestone.status_changed", "payment.state_changed", "payout.status_changed"} <= set(told)
