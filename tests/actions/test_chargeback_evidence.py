"""Answering the bank: drafted by one person, sent by another, in time (payment-escrow-rules, Compliance 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.cases import evidence
from core.actions.chargebacks import chargeback_evidence as answers
from core.db import Database
from core.errors import ChangedMeanwhile, NotFound
from core.gateways.evidence_store import EvidenceStore
from core.policy.limits import CHARGEBACK_ALARMS
from core.processes import timers
from core.records import ChargebackEvidence, Notification
from core.rules.chargebacks import (
    EvidenceEmpty,
    EvidenceTooLong,
    EvidenceUnknown,
    FileNotForBanks,
    NoAnswerAllowed,
)
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalEnded
from tests.actions.stripe_events import bank_says, chargeback, charged_back, told_by_webhook
from tests.builders import Told
from tests.gateways.evidence_builders import picture
from tests.sandbox_desk import Market

TEXTS = {"product_description": "A kitchen, fitted as drawn.", "uncategorized_text": "The payer approved it."}


def stage(market: Market, by: str = "fay", **texts: str) -> ChargebackEvidence:
    return market.act(
        answers.stage, market.as_staff(by), chargeback_id=chargeback(market).id, texts=texts or TEXTS
    )


def submit(market: Market, draft: ChargebackEvidence, by: str = "cora") -> Any:
    return market.act(
        answers.submit, market.as_staff(by), evidence_id=draft.id, typed=f"CB-{chargeback(market).id}"
    )


def disputes(market: Market) -> list[dict[str, Any]]:
    return market.at_stripe("/v1/disputes")


def test_a_draft_is_staged_and_the_bank_does_not_see_it(market: Market) -> None:
    charged_back(market, market.funded())
    stage(market)
    market.work()
    (dispute,) = disputes(market)
    assert dispute["evidence"]["product_description"] == TEXTS["product_description"]
    assert (dispute["status"], dispute["evidence_details"]["submission_count"]) == ("needs_response", 0)
    (sent,) = market.sent(f"/v1/disputes/{dispute['id']}")
    assert sent["body"]["submit"] == "false"
    assert [each.status for each in market.operations("EVIDENCE")] == ["SUCCEEDED"]


def test_a_second_person_sends_it_to_the_bank(market: Market) -> None:
    charged_back(market, market.funded())
    draft = stage(market)
    market.work()
    with pytest.raises(MakerIsChecker):
        submit(market, draft, by="fay")
    submit(market, draft)
    market.work()
    assert (chargeback(market).status, chargeback(market).submissions) == ("under_review", 1)
    with pytest.raises(ProposalEnded):
        submit(market, draft)
    market.lawful()


def test_evidence_that_wins_brings_the_money_back(market: Market) -> None:
    told = market.funded()
    charged_back(market, told)
    draft = stage(market, uncategorized_text="winning_evidence")
    submit(market, draft)
    market.work()
    assert [each.status for each in market.operations("EVIDENCE")] == ["CANCELED", "SUCCEEDED"]
    assert (chargeback(market).status, market.state(told)) == ("won", "PAID_HELD")
    market.lawful()


def test_an_answer_whose_reply_is_lost_is_sent_once(market: Market) -> None:
    charged_back(market, market.funded())
    draft = stage(market)
    market.work()
    submit(market, draft)
    market.control.fault("drop", method="POST", path="/v1/disputes/*", when="after")
    market.work()
    assert [each.status for each in market.operations("EVIDENCE")] == ["SUCCEEDED", "QUEUED"]
    market.later(hours=30)
    assert disputes(market)[0]["evidence_details"]["submission_count"] == 1
    assert [each.status for each in market.operations("EVIDENCE")] == ["SUCCEEDED", "SUCCEEDED"]


def test_only_the_newest_draft_is_sent(market: Market) -> None:
    charged_back(market, market.funded())
    first = stage(market)
    stage(market, by="cora", uncategorized_text="More.")
    with pytest.raises(ChangedMeanwhile):
        submit(market, first)


def test_the_banks_last_moment_counts_inclusive(market: Market) -> None:
    charged_back(market, market.funded())
    due = chargeback(market).due_by
    assert due is not None
    market.now = due
    draft = stage(market)
    market.now = due + timedelta(microseconds=1)
    with pytest.raises(NoAnswerAllowed):
        stage(market)
    with pytest.raises(NoAnswerAllowed):
        submit(market, draft)
    market.now = due
    submit(market, draft)


def test_what_is_decided_is_not_answered(market: Market) -> None:
    dispute = charged_back(market, market.funded())
    bank_says(market, dispute, "lost")
    told_by_webhook(market, "charge.dispute.closed", dispute)
    with pytest.raises(NoAnswerAllowed):
        stage(market)


@pytest.mark.parametrize(
    ("texts", "refusal"),
    [
        ({"uncategorized_text": "  "}, EvidenceEmpty),
        ({"bank_pin": "1234"}, EvidenceUnknown),
        ({"uncategorized_text": "x" * 20_001}, EvidenceTooLong),
    ],
)
def test_texts_that_the_bank_would_not_take_are_refused(
    market: Market, texts: dict[str, str], refusal: type[Exception]
) -> None:
    charged_back(market, market.funded())
    with pytest.raises(refusal):
        stage(market, **texts)
    assert market.count(ChargebackEvidence) == 0


def test_mediators_do_not_answer_banks_and_nobody_does_without_signing_in_anew(market: Market) -> None:
    charged_back(market, market.funded())
    with pytest.raises(NotPermitted):
        stage(market, by="mia")
    draft = stage(market)
    stale = market.as_staff("cora")
    market.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        market.act(answers.submit, stale, evidence_id=draft.id, typed=f"CB-{chargeback(market).id}")


def test_the_database_itself_refuses_one_person_for_both(market: Market, owner: Database) -> None:
    charged_back(market, market.funded())
    stage(market)
    with pytest.raises(IntegrityError, match="maker_is_not_checker"), owner.transaction() as session:
        session.execute(
            text("update chargeback_evidence set submitted_by = drafted_by, submitted_at = now()")
        )
    with pytest.raises(IntegrityError, match="stays as it was written"), owner.transaction() as session:
        session.execute(text("update chargeback_evidence set texts = '{}'"))


# Files


@pytest.fixture
def shelf(market: Market, tmp_path: Path) -> Market:
    """A market with a store for evidence."""
    market.desk = replace(market.desk, evidence=EvidenceStore(tmp_path))
    return market


def submitted(market: Market, told: Told, name: str, content: bytes) -> int:
    return int(
        market.act(
            evidence.submit,
            market.payee,
            store=market.desk.evidence,
            milestone_id=told.milestone,
            file_name=name,
            content=content,
        ).id
    )


def with_file(market: Market, number: int, field: str = "service_documentation", **more: Any) -> Any:
    given = {"texts": {}, "files": {field: number}, **more}
    return market.act(answers.stage, market.as_staff("fay"), chargeback_id=chargeback(market).id, **given)


def test_a_piece_of_evidence_is_uploaded_and_named_in_the_answer(shelf: Market) -> None:
    told = shelf.funded()
    number = submitted(shelf, told, "finished.png", picture("PNG"))
    charged_back(shelf, told)
    draft = with_file(shelf, number, texts=TEXTS)
    shelf.work()
    (file,) = shelf.at_stripe("/v1/files")
    assert (file["purpose"], file["filename"]) == ("dispute_evidence", "service_documentation.png")
    assert file["size"] == len(picture("PNG"))
    (dispute,) = disputes(shelf)
    assert dispute["evidence"]["service_documentation"] == file["id"]
    assert dispute["evidence_details"]["submission_count"] == 0
    submit(shelf, draft)
    shelf.work()
    (dispute,) = disputes(shelf)
    assert dispute["evidence_details"]["submission_count"] == 1
    assert dispute["evidence"]["service_documentation"] in [
        each["id"] for each in shelf.at_stripe("/v1/files")
    ]
    shelf.lawful()


def test_a_file_alone_is_an_answer(shelf: Market) -> None:
    told = shelf.funded()
    number = submitted(shelf, told, "finished.png", picture("PNG"))
    charged_back(shelf, told)
    with_file(shelf, number)
    shelf.work()
    assert [each.status for each in shelf.operations("EVIDENCE")] == ["SUCCEEDED"]


def test_only_files_that_banks_open_go_to_them(shelf: Market) -> None:
    told = shelf.funded()
    note, photo = (
        submitted(shelf, told, "note.txt", b"words"),
        submitted(shelf, told, "a.png", picture("PNG")),
    )
    charged_back(shelf, told)
    with pytest.raises(FileNotForBanks):
        with_file(shelf, note)
    with pytest.raises(EvidenceUnknown):
        with_file(shelf, photo, field="uncategorized_text")
    assert shelf.count(ChargebackEvidence) == 0


def test_evidence_of_another_milestone_is_not_sent(shelf: Market) -> None:
    first = shelf.funded()
    other = shelf.funded()
    number = submitted(shelf, other, "a.png", picture("PNG"))
    charged_back(shelf, first)
    with pytest.raises(NotFound):
        with_file(shelf, number)


def test_a_file_that_is_gone_stops_the_answer_for_a_person(shelf: Market) -> None:
    told = shelf.funded()
    number = submitted(shelf, told, "a.png", picture("PNG"))
    charged_back(shelf, told)
    with_file(shelf, number)
    shelf.desk.evidence.erase(shelf.payee_id, retention=None)
    shelf.work()
    (call,) = shelf.operations("EVIDENCE")
    assert call.status == "REVIEW"
    assert shelf.sent("/v1/files") == []


def test_an_upload_whose_answer_is_lost_leaves_one_answer_at_the_bank(shelf: Market) -> None:
    told = shelf.funded()
    number = submitted(shelf, told, "a.png", picture("PNG"))
    charged_back(shelf, told)
    with_file(shelf, number)
    shelf.control.fault("drop", method="POST", path="/v1/files", when="after")
    shelf.work()
    shelf.later(minutes=5)
    assert [each.status for each in shelf.operations("EVIDENCE")] == ["SUCCEEDED"]
    assert len(shelf.at_stripe("/v1/files")) == 1


# The bank's last moment


def alarms(market: Market) -> list[str]:
    return [each.key for each in market.all(Notification) if each.template == "chargeback_due"]


def test_staff_hear_of_a_chargeback_at_once_and_again_seven_three_and_one_day_before_its_end(
    market: Market,
) -> None:
    charged_back(market, market.funded())
    assert len(alarms(market)) == 2
    due_by = chargeback(market).due_by
    assert due_by is not None
    for told, days in enumerate(CHARGEBACK_ALARMS, start=2):
        market.now = due_by - timedelta(days=days, microseconds=1)
        timers.run_due(market.desk)
        assert len(alarms(market)) == 2 * (told - 1)
        market.now = due_by - timedelta(days=days)
        for _ in range(2):
            timers.run_due(market.desk)
        assert len(alarms(market)) == 2 * told


def test_after_a_pause_only_the_nearest_alarm_rings(market: Market) -> None:
    """And what was heard of two days before its end is not told again as if it had seven."""
    charged_back(market, market.funded())
    due_by = chargeback(market).due_by
    assert due_by is not None
    market.now = due_by - timedelta(hours=5)
    timers.run_due(market.desk)
    assert [key.split("-")[3] for key in alarms(market)[2:]] == ["1", "1"]


def test_what_was_answered_in_time_rings_no_alarm(market: Market) -> None:
    charged_back(market, market.funded())
    submit(market, stage(market))
    market.work()
    market.later(days=8)
    assert len(alarms(market)) == 2
