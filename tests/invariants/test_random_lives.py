"""People do whatever comes to their minds, Stripe has bad days, time jumps: every law holds all the same.

A life is drawn by seed. Much of what is tried is refused; what is not, moves money. At the end Stripe is well again,
and its statement must match the books line by line, each operation having been done once or not at all.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.actions import (
    conversation,
    decide,
    dispute,
    fund,
    hold,
    mediate,
    payout_review,
    reconcile,
    verify,
)
from core.errors import DeskError
from core.gateways.stripe_adapter import StripePayments
from core.money import Money
from core.records import Decision, Hold, Milestone, Payout, ReconciliationRun, Ticket
from core.rules.disputes import DisputeReason
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.permissions import Actor
from tests import stories
from tests.market import Market, as_party

STEPS = 120
CARDS = ("pm_card_bypassPending", "pm_card_visa", "pm_card_chargeDeclined")
TROUBLES = (
    {"kind": "429"},
    {"kind": "drop"},
    {"kind": "drop", "when": "after"},
    {"kind": "500", "when": "after"},
    {"kind": "timeout", "when": "after", "seconds": 2},
)
MOVES_MONEY = ("/v1/payment_intents", "/v1/refunds", "/v1/transfers", "/v1/payouts")


@dataclass
class Life:
    """`done` counts what was carried out and what was refused, by name."""

    market: Market
    draw: random.Random
    people: dict[int, tuple[int, int]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Four projects in two currencies."""
        self.market.pay_in(500_000)
        self.market.pay_in(500_000, "JPY")
        for currency in ("USD", "USD", "JPY", "USD"):
            self.market.newcomers(currency, card=self.draw.choice(CARDS[:2]))
            sizes = [self.draw.randrange(20_000, 700_000) for _ in range(4)]
            project = self.market.agreed(*(Money(size, currency) for size in sizes))
            self.people[project.id] = (self.market.payer_id, self.market.payee_id)

    def step(self) -> None:
        thing = self.draw.choices(list(THINGS), weights=[weight for _, weight in THINGS.values()])[0]
        try:
            THINGS[thing][0](self)
            self.done[thing] += 1
        except DeskError as refusal:
            self.done[f"{thing}: {refusal.code}"] += 1

    # -- who and what --

    def milestone(self, *statuses: str) -> Milestone:
        """One that it fits, or (one in ten) any."""
        every = self.market.all(Milestone)
        return self._chosen(every if self.draw.random() < 0.1 else [e for e in every if e.status in statuses])

    def payer(self, milestone: Milestone) -> Actor:
        return as_party(self.people[milestone.project_id][0])

    def payee(self, milestone: Milestone) -> Actor:
        return as_party(self.people[milestone.project_id][1])

    def staff(self, *fitting: str) -> Actor:
        """One of these, or (one in ten) anybody."""
        anybody = not fitting or self.draw.random() < 0.1
        return self.market.as_staff(self.draw.choice(tuple(self.market.staff) if anybody else fitting))

    def one(self, record: type[Any], **fitting: Any) -> Any:
        every = self.market.all(record)
        wanted = [each for each in every if all(getattr(each, k) == v for k, v in fitting.items())]
        return self._chosen(every if self.draw.random() < 0.1 else wanted)

    def _chosen(self, found: list[Any]) -> Any:
        if not found:
            raise NothingThere()
        return self.draw.choice(found)

    # -- what may happen --

    def pays(self) -> None:
        what = self.milestone("AWAITING_FUNDING")
        card = self.draw.choice(CARDS)
        self.market.act(fund.fund, self.payer(what), milestone_id=what.id, payment_method=card)

    def submits(self) -> None:
        what = self.milestone("FUNDED")
        self.market.act(verify.submit, self.payee(what), milestone_id=what.id)

    def approves(self) -> None:
        what = self.milestone("PENDING_VERIFICATION")
        self.market.act(verify.approve, self.payer(what), milestone_id=what.id)

    def disputes(self) -> None:
        what = self.milestone("PENDING_VERIFICATION", "FUNDED")
        reason = self.draw.choice(list(DisputeReason))
        self.market.act(dispute.open_dispute, self.payer(what), milestone_id=what.id, reason=reason)

    def reworks(self) -> None:
        what = self.milestone("DISPUTED")
        self.market.act(dispute.resubmit, self.payee(what), milestone_id=what.id)

    def withdraws(self) -> None:
        what = self.milestone("DISPUTED")
        self.market.act(dispute.withdraw, self.payer(what), milestone_id=what.id)

    def calls_a_mediator(self) -> None:
        what = self.milestone("DISPUTED")
        self.market.act(dispute.ask_mediation, self.payee(what), milestone_id=what.id)

    def writes(self) -> None:
        what = self.milestone("IN_MEDIATION", "DISPUTED")
        self.market.act(conversation.say, self.payee(what), milestone_id=what.id, body="Listen.")

    def hands_over(self) -> None:
        ticket = self.one(Ticket)
        to = self.draw.choice((None, self.market.staff["mia"], self.market.staff["max"]))
        self.market.act(mediate.assign, self.staff(), ticket_id=ticket.id, staff_id=to)

    def decides(self) -> None:
        ticket = self.one(Ticket, status="UNDER_REVIEW")
        milestone = self.market.get(Milestone, ticket.milestone_id)
        outcome, ground = self.draw.choice(ENDINGS)
        draft = decide.Draft(
            ticket_id=ticket.id,
            outcome=outcome,
            ground=ground,
            reasons=stories.REASONS,
            release=Money(self.draw.randrange(1, milestone.amount_minor + 2), milestone.currency),
            references=frozenset(Reference),
            override=True,
        )
        actor = self.staff("mia", "max")
        plan, _ = self.market.act(decide.preview, actor, draft=draft)
        if self.draw.random() < 0.2:
            self.writes()
        intent = f"life-{self.market.now.isoformat()}-{ticket.id}"
        self.market.act(decide.confirm, actor, draft=draft, plan_hash=plan.hash, intent=intent)

    def second_person(self) -> None:
        decision = self.one(Decision, status="AWAITING_APPROVAL")
        if self.draw.random() < 0.3:
            self.market.act(
                decide.send_back, self.staff("ada", "fay"), decision_id=decision.id, note="Look again."
            )
        else:
            given = {"decision_id": decision.id, "plan_hash": decision.plan_hash}
            self.market.act(decide.approve, self.staff("ada", "fay"), **given)

    def stops(self) -> None:
        what = self.milestone("FUNDED", "PENDING_VERIFICATION", "IN_MEDIATION", "VERIFIED")
        self.market.act(hold.place, self.staff(), milestone_id=what.id, reason="A report.")

    def lets_go(self) -> None:
        held = self.one(Hold, released_at=None)
        self.market.act(hold.lift, self.staff("cora", "ada"), hold_id=held.id, reason="Settled.")

    def sends_again(self) -> None:
        payout = self.one(Payout, status="ADMINISTRATIVE_REVIEW")
        self.market.act(
            payout_review.retry, self.staff("fay", "ada"), payout_id=payout.id, reason="Once more."
        )

    def time_passes(self) -> None:
        self.market.later(hours=self.draw.choice((1, 6, 24, 80)))

    def works(self) -> None:
        self.market.work()

    def bad_day(self) -> None:
        path = self.draw.choice((*MOVES_MONEY, "/v1/*"))
        trouble = self.draw.choice(TROUBLES)
        self.market.control.fault(path=path, times=self.draw.randrange(1, 4), **trouble)

    def bank_says_no(self) -> None:
        order = {"code": "could_not_process", "after_paid": self.draw.random() < 0.5}
        self.market.control.next_payouts(order)

    def refund_trouble(self) -> None:
        self.market.control.next_refunds({"status": self.draw.choice(("pending", "failed"))})


class NothingThere(DeskError):
    """There is none of these yet."""


ENDINGS = (
    (DecisionOutcome.FULL_RELEASE, Ground.WORK_DELIVERED),
    (DecisionOutcome.PARTIAL_RELEASE, Ground.PARTIAL_WORK),
    (DecisionOutcome.FULL_REFUND, Ground.PROVIDER_NO_SHOW),
    (DecisionOutcome.FULL_REFUND, Ground.OUTCOME_DISSATISFACTION),
)
THINGS: dict[str, tuple[Callable[[Life], None], int]] = {
    "pays": (Life.pays, 8),
    "submits": (Life.submits, 8),
    "approves": (Life.approves, 4),
    "disputes": (Life.disputes, 7),
    "reworks": (Life.reworks, 1),
    "withdraws": (Life.withdraws, 1),
    "calls a mediator": (Life.calls_a_mediator, 5),
    "writes": (Life.writes, 1),
    "hands over": (Life.hands_over, 1),
    "decides": (Life.decides, 10),
    "second person": (Life.second_person, 4),
    "stops": (Life.stops, 1),
    "lets go": (Life.lets_go, 4),
    "sends again": (Life.sends_again, 2),
    "time passes": (Life.time_passes, 8),
    "works": (Life.works, 8),
    "bad day": (Life.bad_day, 2),
    "bank says no": (Life.bank_says_no, 1),
    "refund trouble": (Life.refund_trouble, 1),
}


@pytest.mark.parametrize("seed", range(8))
def test_every_law_holds_after_any_life(market: Market, seed: int) -> None:
    hasty = StripePayments(market.sandbox.key, base=market.sandbox.url, patience=(1.0, 0.5))
    market.desk = replace(market.desk, payments=hasty)
    life = Life(market, random.Random(f"life/{seed}"))
    life.begin()
    for number in range(STEPS):
        life.step()
        if number % 20 == 19:
            market.lawful()
    market.control.clear_faults()
    for _ in range(12):
        market.later(hours=3)
    for _ in range(10):
        market.later(days=1)
    market.lawful()
    assert life.done["pays"], life.done
    _each_operation_at_most_once(market)
    run = reconcile.run(market.desk, market.as_staff("fay"))
    result = market.get(ReconciliationRun, run)
    assert (result.status, result.breaks) == ("CLEAN", 0), life.done


def _each_operation_at_most_once(market: Market) -> None:
    """Whatever became of the answers: Stripe has at most one successful object for each operation and attempt."""
    for path in ("/v1/refunds", "/v1/transfers"):
        names = Counter(
            each["metadata"]["op"] for each in market.at_stripe(path) if each["metadata"].get("op")
        )
        assert [op for op, number in names.items() if number > 1] == []
    paid = [each for each in market.at_stripe("/v1/payment_intents") if each["status"] == "succeeded"]
    assert max(Counter(each["metadata"]["op"] for each in paid).values(), default=0) <= 1
