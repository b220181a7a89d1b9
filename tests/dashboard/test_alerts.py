"""Alert rules and the dashboard for Grafana ask for metrics that exist, and each alert has its paragraph."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from core.cli import app
from core.queries.oldest_waiting import LIMITS, Work
from core.rules.operations import OperationStatus
from core.rules.webhooks import WebhookStatus
from tests.test_readme import commands

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
METRICS = set(
    re.findall(r'"(escrow_desk_\w+)"', (ROOT / "dashboard" / "metrics.py").read_text(encoding="utf-8"))
)
# Put together from a prefix in `dashboard/metrics.py`; `up` is Prometheus' own.
METRICS |= {"escrow_desk_reconciliation_age_seconds", "up"}
METRICS |= {
    f"escrow_desk_client_funds_{each}"
    for each in ("at_stripe_minor", "owed_minor", "short_minor", "looked_at_seconds")
}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    board = json.loads((ROOT / "deploy/grafana/escrow-desk.json").read_text(encoding="utf-8"))
    return list(board["panels"])


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_expression_is_promql_about_metrics_that_exist(expression: str) -> None:
    promql_parser.parse(expression)
    asked = re.findall(r"\b(escrow_desk_\w+|up)\b", expression)
    assert asked
    assert set(asked) <= METRICS


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_wrong_and_has_its_paragraph(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"
    assert len(OPERATIONS.split(f"\n### {name}\n")[1].split("\n###")[0].split("\n## ")[0]) > 80


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_names_a_command_and_each_command_exists(rule: dict[str, Any]) -> None:
    said = OPERATIONS.split(f"\n### {rule['alert']}\n")[1].split("\n###")[0].split("\n## ")[0]
    named = re.findall(r"`escrow-desk ([a-z][a-z -]*[a-z])", said)
    assert named
    known = set(commands(app))
    assert [each for each in named if not any(f"{each} ".startswith(f"{one} ") for one in known)] == []


@pytest.mark.parametrize("tab", ["Webhook inbox", "E-mails", "Events to marketplaces", "Workers and jobs"])
def test_tabs_that_paragraphs_name_are_there(tab: str) -> None:
    assert f"*Operations*, *{tab}*" in OPERATIONS
    assert f'"{tab}"' in (ROOT / "pages" / "operations.py").read_text(encoding="utf-8")


def test_every_paragraph_is_of_an_alert() -> None:
    assert re.findall(r"^### (EscrowDesk\w+)$", OPERATIONS, re.MULTILINE) == [
        rule["alert"] for rule in rules()
    ]


def test_words_and_limits_in_rules_are_the_desks() -> None:
    text = " ".join(expressions())
    assert {"REVIEW"} <= {each.value for each in OperationStatus}
    assert {"FAILED", "RECEIVED"} <= {each.value for each in WebhookStatus}
    assert 'work="operation"' in text
    seconds = {work: int(limit.total_seconds()) for work, limit in LIMITS.items()}
    assert seconds.pop(Work.OPERATION) == 3 * 3600
    assert set(seconds.values()) == {3600}


def test_panels_do_not_lie_on_one_another() -> None:
    taken = [
        (x, y)
        for panel in panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
