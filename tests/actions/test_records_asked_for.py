"""The four logs of payment-escrow-rules, Records / Audit Requirements: each is one filter of the audit log."""

from __future__ import annotations

import pytest

from core.actions.risk import holds, reports
from core.audit.filters import LOGS, AuditFilter
from core.db import Database
from core.money import Money
from core.queries import audit
from core.rules.permissions import SYSTEM
from core.rules.reports import ReportKind, ReportOutcome
from tests import builders
from tests.builders import Town


@pytest.fixture
def town(database: Database) -> Town:
    """A milestone that was reported, held, freed, and divided by a decision."""
    town = builders.a_town(database)
    told = builders.funded(town)
    report = town.act(
        reports.file, SYSTEM, project_id=told.project, kind=ReportKind.OTHER, details="A telephone number."
    )
    cora = town.as_staff("cora")
    placed = town.act(
        holds.place, cora, milestone_id=told.milestone, reason="Statements wanted.", report_id=report.id
    )
    town.act(holds.lift, town.as_staff("ada"), hold_id=placed.id, reason="Both have answered.")
    settling = {"report_id": report.id, "outcome": ReportOutcome.DISMISSED, "note": "Their shop's."}
    town.act(reports.settle, town.as_staff("cora"), **settling)
    told = builders.in_mediation(town, told)
    builders.decided(town, told, builders.a_draft(told, release=Money(100_000, "USD")))
    builders.carry_out(town)
    return town


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("payment_intents", {"party:milestone:fund", "system:payment:hold"}),
        ("holds_and_releases", {"staff:hold:place", "staff:hold:lift", "system:payout:transfer"}),
        ("refund_decisions", {"mediator:decision:confirm", "system:refund:settle"}),
        ("administration", {"staff:hold:place", "staff:report:settle", "compliance:checklist:sign"}),
    ],
)
def test_each_log_has_its_entries_and_no_others(town: Town, log: str, expected: set[str]) -> None:
    asked = AuditFilter(log=log)
    found = town.read(lambda session: audit.page(session, asked, limit=500))
    actions = {entry.action for entry in found}
    assert expected <= actions
    assert all(action.startswith(LOGS[log][1]) for action in actions)
    assert town.read(lambda session: audit.count(session, asked)).n == len(found)


def test_the_log_of_administration_names_reports(town: Town) -> None:
    found = town.read(lambda session: audit.page(session, AuditFilter(log="administration"), limit=500))
    assert all(entry.actor_kind == "staff" for entry in found)
    assert {entry.action for entry in found if entry.report_id} == {
        "staff:hold:place",
        "staff:hold:lift",
        "staff:report:settle",
    }
