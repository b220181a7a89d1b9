"""A number that nobody has, words that say nothing and choices of nothing are refused by the action itself: whoever
calls it need not have looked before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.actions.bank_statements import accounts, files, mappings
from core.actions.cases import conversation, evidence, evidence_notes, names_hidden, settlement_proposals
from core.actions.cases.messages import MOST, MessageTooLong
from core.actions.chargebacks import chargeback_acceptance, chargeback_evidence, chargeback_files
from core.actions.debts import repayment_plans, write_offs
from core.actions.funding import fund_several
from core.actions.milestones import legal_checklist, letters, preferences
from core.actions.operations import operation_keys, operation_retry
from core.actions.parties import bank_decisions
from core.actions.payouts import payout_owners
from core.actions.periods import journal_reversals, manual_journals, reopening
from core.actions.platform import client_funds
from core.actions.reconciliation import bank_charge_rules, bank_matches, breaks, suspense
from core.actions.refunds import outside_refunds
from core.actions.risk import (
    hold_ends,
    hold_lifts,
    holds,
    payee_holds,
    practice_flags,
    report_outcomes,
    reports,
    risk_reviews,
)
from core.actions.staff import invitations, policy_change, policy_in_force, role_grants, sessions
from core.db import Database
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.ledger import journal_store
from core.money import Money
from core.policy import Platform
from core.records import SuspenseItem
from core.rules.bank_matching import NothingToMatch
from core.rules.legal_checklist import Item
from core.rules.payee_accounts import BankDecision
from core.rules.permissions import Actor, NotPermitted
from core.rules.reports import ReportOutcome
from core.rules.risk import ReviewOutcome
from core.rules.suspense import SettledAs
from tests import builders
from tests.builders import Told, Town

NOBODYS = 987_654
WHY = "Seen on the statement."


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def nothing_there(town: Town, told: Told) -> list[tuple[Callable[..., Any], str, dict[str, Any]]]:
    """What is done to something that is not there: the action, who does it, and to what."""
    later = town.now + timedelta(days=2)
    question = {"case_id": told.case, "question": "When?", "answer_due_at": later, "party_id": NOBODYS}
    done = {"outcome": ReportOutcome.DISMISSED, "note": WHY}
    return [
        (conversation.ask, "mia", question),
        (evidence_notes.note, "mia", {"evidence_id": NOBODYS, "body": "Here."}),
        (names_hidden.reveal, "mia", {"case_id": NOBODYS}),
        (chargeback_acceptance.propose, "fay", {"chargeback_id": NOBODYS, "reason": WHY}),
        (chargeback_acceptance.reject, "fay", {"acceptance_id": NOBODYS, "reason": WHY}),
        (chargeback_evidence.submit, "fay", {"evidence_id": NOBODYS, "typed": ""}),
        (chargeback_evidence.stage, "fay", {"chargeback_id": NOBODYS, "texts": {}}),
        (chargeback_files.opened, "fay", {"chargeback_id": NOBODYS, "store": None, "code": "12"}),
        (letters.send_again, "mia", {"notification_id": NOBODYS}),
        (client_funds.release, "ada", {"stop_id": NOBODYS, "reason": WHY}),
        (operation_retry.retry, "ada", {"operation_id": NOBODYS, "reason": WHY}),
        (suspense.approve, "cora", {"item_ids": [NOBODYS], "reason": WHY}),
        (suspense.approve, "cora", {"item_ids": [], "reason": WHY}),
        (
            outside_refunds.propose,
            "fay",
            {"refund_id": NOBODYS, "way": "CHECK", "reference": "R", "reason": WHY},
        ),
        (outside_refunds.reject, "fay", {"return_id": NOBODYS, "reason": WHY}),
        (write_offs.propose, "fay", {"party_id": NOBODYS, "amount": Money(1, "USD"), "reason": WHY}),
        (write_offs.reject, "fay", {"write_off_id": NOBODYS, "reason": WHY}),
        (repayment_plans.end, "fay", {"plan_id": NOBODYS, "reason": WHY}),
        (
            bank_decisions.propose,
            "fay",
            {"change_id": NOBODYS, "decision": BankDecision.REFUSE, "reason": WHY},
        ),
        (bank_decisions.approve, "cora", {"proposal_id": NOBODYS}),
        (payout_owners.assign, "fay", {"payout_id": NOBODYS, "owner_id": None}),
        (manual_journals.approve, "cora", {"number": NOBODYS}),
        (journal_reversals.propose, "fay", {"number": NOBODYS, "posted_on": town.now.date(), "reason": WHY}),
        (reopening.propose, "fay", {"period_id": NOBODYS, "reason": WHY}),
        (reopening.approve, "cora", {"reopening_id": NOBODYS}),
        (breaks.ask_again, "fay", {"break_id": NOBODYS, "reason": WHY}),
        (bank_matches.undo, "fay", {"match_id": NOBODYS, "reason": WHY}),
        (bank_charge_rules.save, "fay", {"account_id": NOBODYS, "words": "FEE OF", "most": Money(1, "USD")}),
        (bank_charge_rules.end, "fay", {"rule_id": NOBODYS}),
        (accounts.correct, "fay", {"code": "nobodys", "name": "Main", "identifier": None}),
        (files.download, "cora", {"store": None, "file_id": NOBODYS}),
        (holds.lift, "cora", {"hold_id": NOBODYS, "reason": WHY}),
        (hold_ends.extend, "cora", {"hold_id": NOBODYS, "until": later, "reason": WHY}),
        (hold_lifts.approve, "cora", {"lift_id": NOBODYS}),
        (payee_holds.place, "cora", {"party_id": NOBODYS, "reason": WHY}),
        (payee_holds.lift, "cora", {"hold_id": NOBODYS, "reason": WHY}),
        (invitations.call_off, "ada", {"invitation_id": NOBODYS, "reason": WHY}),
        (role_grants.approve, "ada", {"grant_id": NOBODYS}),
        (reports.settle, "cora", {"report_id": NOBODYS, **done}),
        (practice_flags.resolve, "cora", {"flag_id": NOBODYS, "resolution": WHY}),
        (risk_reviews.assign, "cora", {"review_id": NOBODYS, "staff_id": None}),
        (risk_reviews.settle, "cora", {"review_id": NOBODYS, "outcome": ReviewOutcome.CLEARED, "note": WHY}),
    ]


def test_nothing_is_done_to_what_is_not_there(town: Town) -> None:
    told = builders.in_mediation(town)
    for action, who, given in nothing_there(town, told):
        with pytest.raises(NotFound):
            town.act(action, town.as_staff(who), **given)
    for action, given in (
        (settlement_proposals.accept, {"proposal_id": NOBODYS}),
        (fund_several.fund_several, {"project_id": NOBODYS, "milestone_ids": [1, 2]}),
        (preferences.set, {"party_id": NOBODYS}),
    ):
        with pytest.raises(NotFound):
            town.act(action, town.payer, **given)


def test_what_is_only_read_is_not_there_either(town: Town) -> None:
    fay, nobodys = town.as_staff("fay"), {"store": None, "number": NOBODYS}
    for read in (
        lambda session: mappings.named(session, "nobodys"),
        lambda session: journal_store.one(session, NOBODYS),
        lambda session: manual_journals.attachment(session, fay, **nobodys),
    ):
        with pytest.raises(NotFound):
            town.read(read)


def test_lines_and_postings_that_are_not_there_are_matched_with_nothing(town: Town) -> None:
    with pytest.raises(NothingToMatch):
        town.act(
            bank_matches.by_hand, town.as_staff("fay"), line_ids=[NOBODYS], journal_ids=[NOBODYS], reason=WHY
        )


def test_a_platform_without_a_policy_is_said(database: Database) -> None:
    home = Platform.HOME_SERVICES
    for question in (
        lambda session: policy_in_force.of(session, home, datetime(2000, 1, 1, tzinfo=UTC)),
        lambda session: policy_change.newest(session, home),
    ):
        with database.reading() as session, pytest.raises(NotFound):
            question(session)


def test_a_preview_of_a_report_that_is_not_there_is_empty(town: Town) -> None:
    dismissed = ReportOutcome.DISMISSED
    assert town.read(lambda s: report_outcomes.preview(s, NOBODYS, dismissed, now=town.now)) == ()


def test_a_desk_without_a_name_makes_no_keys(database: Database) -> None:
    """The name is in each key: another desk at the same Stripe account makes others."""
    with database.reading() as session, pytest.raises(operation_keys.NoInstallationMark):
        operation_keys.operation_key(session, "refund", 1)


def test_a_file_that_is_not_there_is_opened_by_nobody(town: Town) -> None:
    with pytest.raises(NotFound):
        town.database.run(lambda session: evidence._readable(session, town.as_staff("mia"), NOBODYS))


def test_a_session_that_is_not_there_proves_nobody(town: Town) -> None:
    with pytest.raises(sessions.SessionEnded):
        town.database.run(lambda session: sessions.reauthenticate(session, "no token", now=town.now))


@pytest.mark.parametrize(
    ("action", "who", "given", "refused"),
    [
        (settlement_proposals.propose, "payer", {"note": "x" * (MOST + 1)}, MessageTooLong),
        (
            outside_refunds.propose,
            "fay",
            {"refund_id": 1, "way": "CHECK", "reference": " "},
            outside_refunds.ReferenceMissing,
        ),
        (
            outside_refunds.propose,
            "fay",
            {"refund_id": 1, "way": "DOVE", "reference": "R"},
            outside_refunds.ReferenceMissing,
        ),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(
    town: Town, action: Callable[..., Any], who: str, given: dict[str, Any], refused: type[DeskError]
) -> None:
    told = builders.in_mediation(town)
    actor = town.payer if who == "payer" else town.as_staff(who)
    more = {"case_id": told.case, "release": Money(1_000, "USD")} if who == "payer" else {"reason": WHY}
    with pytest.raises(refused):
        town.act(action, actor, **more, **given)


def test_only_a_person_vouches_for_an_item_of_the_legal_checklist(town: Town) -> None:
    roles = town.as_staff("cora").roles
    nobody = Actor("staff", None, roles, authenticated_at=town.now)
    with pytest.raises(NotPermitted):
        town.act(
            legal_checklist.sign,
            nobody,
            platform=Platform.LEGAL_SERVICES,
            item=next(iter(Item)),
            note=WHY,
            **builders.MEMO,
        )


def test_amounts_that_were_not_proposed_together_are_not_answered_together() -> None:
    ours = [
        SuspenseItem(proposed_as=each, proposed_by=1) for each in (SettledAs.EACH_OTHER, SettledAs.CONCESSION)
    ]
    with pytest.raises(ChangedMeanwhile):
        suspense._proposed_together(ours)
