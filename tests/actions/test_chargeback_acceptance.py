"""Accepting a chargeback: proposed by one person, done by another, and booked at once (internal policy)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.chargebacks import chargeback_acceptance
from core.actions.chargebacks import chargeback_evidence as answers
from core.actions.chargebacks.chargeback_evidence import GivenUp
from core.actions.milestones import verification
from core.db import Database
from core.records import ChargebackAcceptance
from core.rules.chargebacks import NothingToAccept
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalEnded, ProposalWaits
from tests.actions.stripe_events import bank_says, chargeback, charged_back, told_by_webhook
from tests.sandbox_desk import Market


def propose(market: Market, by: str = "fay") -> ChargebackAcceptance:
    return market.act(
        chargeback_acceptance.propose,
        market.as_staff(by),
        chargeback_id=chargeback(market).id,
        reason="The work was never begun, and the payer is right.",
    )


def accept(market: Market, proposal: ChargebackAcceptance, by: str = "cora") -> Any:
    return market.act(
        chargeback_acceptance.accept,
        market.as_staff(by),
        acceptance_id=proposal.id,
        typed=f"CB-{chargeback(market).id}",
    )


def test_two_people_give_in_and_the_loss_is_booked_at_once(market: Market) -> None:
    told = market.funded()
    dispute = charged_back(market, told)
    proposal = propose(market)
    assert market.books()["disputed_funds"] == chargeback(market).amount_minor
    with pytest.raises(MakerIsChecker):
        accept(market, proposal, by="fay")
    said = "The delivery cannot be proved."
    market.act(
        chargeback_acceptance.accept,
        market.as_staff("cora"),
        acceptance_id=proposal.id,
        typed=f"CB-{chargeback(market).id}",
        reason=said,
    )
    entries = text("select reason from audit_entries where action = 'staff:chargeback:accept'")
    assert market.read(lambda session: session.scalars(entries).all()) == [said]
    market.work()
    assert len(market.sent(f"/v1/disputes/{dispute}/close")) == 1
    assert chargeback(market).status == "lost"
    assert not market.books().keys() & {"disputed_funds", "held", "deferred_platform_fee"}
    assert market.order(told) == {"refunded": 100_000}
    assert market.status(told) == "REFUNDED"
    with pytest.raises(ProposalEnded):
        accept(market, proposal)
    market.lawful()


def test_after_a_release_the_payee_owes_what_was_given_up(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    market.later(days=5)
    charged_back(market, told)
    accept(market, propose(market))
    market.work()
    assert market.books()["receivable_payee"] == 100_000
    assert market.status(told) == "COMPLETED"
    market.lawful()


def test_an_acceptance_whose_answer_is_lost_is_done_once(market: Market) -> None:
    dispute = charged_back(market, market.funded())
    market.control.fault("drop", method="POST", path="/v1/disputes/*/close", when="after")
    accept(market, propose(market))
    market.work()
    market.later(minutes=5)
    assert [each.status for each in market.operations("ACCEPTANCE")] == ["SUCCEEDED"]
    assert len(market.sent(f"/v1/disputes/{dispute}/close")) == 1
    market.lawful()


def test_after_the_answer_has_left_nobody_accepts_and_after_accepting_nobody_answers(market: Market) -> None:
    charged_back(market, market.funded())
    texts = {"product_description": "A kitchen."}
    number = chargeback(market).id
    draft = market.act(answers.stage, market.as_staff("fay"), chargeback_id=number, texts=texts)
    market.work()
    proposal = propose(market)
    accept(market, proposal)
    with pytest.raises(GivenUp):
        market.act(
            answers.submit, market.as_staff("cora"), evidence_id=draft.id, typed=f"CB-{chargeback(market).id}"
        )
    with pytest.raises(GivenUp):
        market.act(answers.stage, market.as_staff("fay"), chargeback_id=number, texts=texts)
    market.work()
    assert [each.status for each in market.operations("EVIDENCE")] == ["SUCCEEDED"]


def test_a_staging_that_was_not_sent_is_forgotten(market: Market) -> None:
    charged_back(market, market.funded())
    number = chargeback(market).id
    market.act(answers.stage, market.as_staff("fay"), chargeback_id=number, texts={"receipt": ""} | {
        "product_description": "A kitchen."
    })  # fmt: skip
    accept(market, propose(market))
    market.work()
    assert [each.status for each in market.operations("EVIDENCE")] == ["CANCELED"]
    assert chargeback(market).status == "lost"


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_what_is_decided_is_not_given_up(market: Market, verdict: str) -> None:
    dispute = charged_back(market, market.funded())
    proposal = propose(market)
    bank_says(market, dispute, verdict)
    with pytest.raises(NothingToAccept):
        accept(market, proposal)
    with pytest.raises(NothingToAccept):
        propose(market)
    market.act(
        chargeback_acceptance.reject, market.as_staff("fay"), acceptance_id=proposal.id, reason="Not so."
    )


def test_an_inquiry_is_met_with_a_refund_and_not_given_up(market: Market) -> None:
    charged_back(market, market.funded(), inquiry=True)
    with pytest.raises(NothingToAccept):
        propose(market)


def test_a_proposal_is_made_once_and_may_be_withdrawn(market: Market) -> None:
    charged_back(market, market.funded())
    first = propose(market)
    with pytest.raises(ProposalWaits):
        propose(market, by="cora")
    market.act(chargeback_acceptance.reject, market.as_staff("fay"), acceptance_id=first.id, reason="Not so.")
    accept(market, propose(market, by="cora"), by="fay")


def test_only_who_answers_banks_gives_in_and_signs_in_anew_for_it(market: Market) -> None:
    charged_back(market, market.funded())
    with pytest.raises(NotPermitted):
        propose(market, by="mia")
    proposal = propose(market)
    stale = market.as_staff("cora")
    market.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        market.act(
            chargeback_acceptance.accept,
            stale,
            acceptance_id=proposal.id,
            typed=f"CB-{chargeback(market).id}",
        )


def test_the_database_itself_refuses_one_person_for_an_acceptance(market: Market, owner: Database) -> None:
    charged_back(market, market.funded())
    propose(market)
    one = (
        "update chargeback_acceptances set status = 'ACCEPTED', settled_by = proposed_by, settled_at = now()"
    )
    with pytest.raises(IntegrityError, match="two_people"), owner.transaction() as session:
        session.execute(text(one))
    with pytest.raises(IntegrityError, match="stays as it was written"), owner.transaction() as session:
        session.execute(text("update chargeback_acceptances set reason = 'another'"))


# Roads of a chargeback that have no test elsewhere


def test_won_after_it_was_lost_gives_back_what_was_written_off_to_a_person(market: Market) -> None:
    """The bank changes its mind after the loss was booked: the money is there, and a person says whose it is."""
    told = market.funded()
    dispute = charged_back(market, told)
    amount = chargeback(market).amount_minor
    bank_says(market, dispute, "lost")
    market.control.line("adjustment", amount, "USD", category="dispute_reversal", source=dispute)
    market.control.reinstate(dispute, "won")
    told_by_webhook(market, "charge.dispute.funds_reinstated", dispute)
    row = chargeback(market)
    assert (row.status, row.lost_minor) == ("won", amount)
    assert market.books()["suspense"] == amount
    assert market.status(told) == "REFUNDED"
    market.lawful()


def test_an_inquiry_that_is_closed_costs_nothing(market: Market) -> None:
    told = market.funded()
    dispute = charged_back(market, told, inquiry=True)
    bank_says(market, dispute, "warning_closed")
    assert (chargeback(market).status, market.state(told)) == ("warning_closed", "PAID_HELD")
    assert "disputed_funds" not in market.books()
    market.lawful()


def test_an_inquiry_is_answered_like_a_chargeback(market: Market) -> None:
    charged_back(market, market.funded(), inquiry=True)
    draft = market.act(
        answers.stage,
        market.as_staff("fay"),
        chargeback_id=chargeback(market).id,
        texts={"product_description": "A kitchen."},
    )
    market.act(
        answers.submit, market.as_staff("cora"), evidence_id=draft.id, typed=f"CB-{chargeback(market).id}"
    )
    market.work()
    assert chargeback(market).status == "warning_under_review"
    market.lawful()
