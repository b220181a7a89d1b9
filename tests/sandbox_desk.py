"""A town whose Stripe is the sandbox over HTTP: what is queued is really sent, and time passes on both sides.

market.funded()            a project of two milestones, the first paid and held
market.act(…)              one action, nothing sent yet
market.work()              what the worker would do now: send, apply what came back
market.later(days=3)       time passes, timers run, then `work`
market.books("USD")        every line of the trial balance that is not zero, in minor units
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast

import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.funding import fund
from core.actions.milestones import bids, engagement, parties, payment_schedule, verification
from core.config import Settings
from core.db import Database
from core.desk import Desk
from core.gateways.mail import mail_from
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from core.ledger import accounts
from core.ledger.invariants import check
from core.money import Money
from core.policy import WithdrawalMethod
from core.processes import provider_accounts, timers, webhook_processing
from core.processes.outgoing import dispatch
from core.queries import ledger
from core.records import Milestone, OutgoingOperation, Party, PaymentOrder, Project
from core.rules.permissions import Actor
from core.rules.schedule import PlannedMilestone
from tests import builders, kept_stories
from tests.builders import Told, Town
from tests.database import as_owner

THOUSAND = {"USD": 100_000, "EUR": 100_000, "JPY": 150_000, "KWD": 310_000}
COUNTRY = {"USD": "US", "EUR": "DE", "JPY": "JP", "KWD": "KW"}
PLACES = ("held", "payable", "refundable", "released", "refunded")
bid_numbers = count(1)


@dataclass
class Market(Town):
    """`now` is the time of the desk; the sandbox follows it whenever something is sent."""

    desk: Desk = field(init=False)
    sandbox: StripeSandbox = field(kw_only=True)
    settings: tuple[Any, ...] = ()
    log_from: int = 0
    control: SandboxControl = field(init=False)

    def __post_init__(self) -> None:
        self.control = self.sandbox.control

    # -- time --

    def work(self) -> None:
        self.control.set_clock(self.now)
        while dispatch.sweep(self.desk):
            pass
        webhook_processing.sweep(self.desk)

    def later(self, **span: float) -> None:
        self.wait(**span)
        timers.run_due(self.desk)
        self.work()

    # -- people --

    def party(self, role: str, currency: str = "USD", **known: Any) -> int:
        """Someone whom both the marketplace and the sandbox know. `card` and `bank` are test tokens."""
        card, bank = known.pop("card", "pm_card_bypassPending"), known.pop("bank", "btok_us_verified")
        number = next(bid_numbers)
        platform = known.pop("platform", "home_services")

        def register(session: Session) -> int:
            return parties.register(
                session,
                now=self.now,
                platform=platform,
                external_id=f"market-{role}-{number}",
                role=role,
                name={"PAYER": "Ana Lindqvist", "PAYEE": "Ben Okafor"}[role],
                email=f"{role.lower()}{number}@example.com",
                country=COUNTRY[currency],
                withdrawal_method=known.pop("method", WithdrawalMethod.STANDARD),
            ).id

        party_id = self.database.run(register)
        provider_accounts.open_at_provider(
            self.desk, party_id, currency=currency, payment_method=card, bank_token=bank
        )
        return party_id

    def saved(self, token: str) -> str:
        """The payer saves this in their browser, and agrees to debits where it is a bank account."""
        self.control.set_clock(self.now)
        _, setup = provider_accounts.set_up(self.desk, self.payer_id)
        return self.control.set_up(setup.id, token)

    @kept_stories.once
    def newcomers(self, currency: str = "USD", **known: Any) -> None:
        """From now on `payer` and `payee` are two new people."""
        bank = {name: known.pop(name) for name in ("bank", "method") if name in known}
        self.payer_id = self.party("PAYER", currency, **known)
        known.pop("card", None)
        self.payee_id = self.party("PAYEE", currency, **known, **bank)

    def withdraws_by_hand(self) -> None:
        """The payee asks for each withdrawal. No action of the desk notes that, so the owner of the tables does."""
        with as_owner(self.database) as session:
            session.get_one(Party, self.payee_id).auto_withdraw = False

    # -- the ordinary road --

    def agreed(
        self, *amounts: Money, project_type: str = "KITCHEN", fee_mode: str = "STAGED", active: bool = True
    ) -> Project:
        """An accepted bid, adjusted to milestones of these amounts; `active`: every part is confirmed."""
        amounts = amounts or (Money(100_000, "USD"), Money(50_000, "USD"))
        total = Money.total(amounts, amounts[0].currency)
        project = self.act(
            bids.accept,
            self.payer,
            bid=bids.Bid(
                payer_id=self.payer_id,
                payee_id=self.payee_id,
                reference=f"bid-{next(bid_numbers)}",
                title="New kitchen",
                scope="Cabinets, worktop and connections, as drawn.",
                project_type=project_type,
                fee_mode=fee_mode,
                total=total,
            ),
        )
        planned = [
            PlannedMilestone(title=f"Part {number}", deliverable="As drawn.", amount=amount)
            for number, amount in enumerate(amounts, start=1)
        ]
        self.act(payment_schedule.adjust, self.payer, project_id=project.id, planned=planned)
        if active:
            self.confirm(project.id)
        return project

    def confirm(self, project_id: int, *parts: engagement.Part) -> None:
        for part in parts or tuple(engagement.Part):
            who = self.payee if part in engagement.BY_PAYEE else self.payer
            self.act(engagement.confirm, who, project_id=project_id, part=part)

    def milestones(self, project_id: int) -> list[Milestone]:
        wanted = select(Milestone).where(Milestone.project_id == project_id).order_by(Milestone.position)
        return self.read(lambda session: list(session.scalars(wanted)))

    @kept_stories.once
    def funded(self, *amounts: Money, **agreed: Any) -> Told:
        """The first milestone is paid and held, and its charge has settled."""
        project = self.agreed(*amounts, **agreed)
        first = self.milestones(project.id)[0]
        self.act(fund.fund, self.payer, milestone_id=first.id)
        self.work()
        builders.clear_reviews(self, first.id)
        return Told(project.id, first.id)

    @kept_stories.once
    def submitted(self, *amounts: Money, **agreed: Any) -> Told:
        told = self.funded(*amounts, **agreed)
        self.wait(hours=30)
        self.act(verification.submit, self.payee, milestone_id=told.milestone)
        return told

    @kept_stories.once
    def in_mediation(self, *amounts: Money, mediator: str | None = "mia", **agreed: Any) -> Told:
        return builders.in_mediation(self, self.funded(*amounts, **agreed), mediator=mediator)

    @kept_stories.once
    def pay_in(self, amount: int, currency: str = "USD") -> None:
        """The platform puts money of its own into its balance, and it is booked."""
        from core.processes import reconciliation
        from core.rules.permissions import SYSTEM

        self.control.set_clock(self.now)
        self.control.add_float(amount, currency)
        reconciliation.run(self.desk, SYSTEM)

    # -- what is --

    def get(self, record: type[Any], number: Any) -> Any:
        return self.read(lambda session: session.get_one(record, number))

    def all(self, record: type[Any]) -> list[Any]:
        return self.read(lambda session: list(session.scalars(select(record).order_by(record.id))))

    def status(self, told: Told) -> str:
        return str(self.get(Milestone, told.milestone).status)

    def order(self, told: Told) -> dict[str, int]:
        """Where the milestone's money is: the places that are not empty."""
        order = self.get(PaymentOrder, told.milestone)
        return {place: minor for place in PLACES if (minor := getattr(order, f"{place}_minor"))}

    def state(self, told: Told) -> str:
        return str(self.get(PaymentOrder, told.milestone).state)

    def books(self, currency: str = "USD") -> dict[str, int]:
        """What is on each line of the chart, as its side grows."""
        nets = self.read(ledger.nets).items()
        return {
            line: accounts.CHART[line].grown(net.minor)
            for (line, of), net in nets
            if net.minor and of == currency
        }

    def operations(self, kind: str = "") -> list[OutgoingOperation]:
        return [each for each in self.all(OutgoingOperation) if kind in ("", each.kind)]

    def count(self, record: type[Any], *conditions: Any) -> int:
        wanted = select(func.count()).select_from(record).where(*conditions)
        return self.read(lambda session: session.scalar(wanted) or 0)

    def sent(self, path: str) -> list[dict[str, Any]]:
        """What the sandbox was asked to do there since this market began: the request log's POSTs."""
        import json

        lines = (self.sandbox.folder / "stripe-sandbox.jsonl").read_bytes()[self.log_from :].splitlines()
        calls = (json.loads(line) for line in lines)
        return [call for call in calls if call["method"] == "POST" and call["path"] == path]

    def at_stripe(self, path: str, account: str = "") -> list[dict[str, Any]]:
        """The objects that exist there, however often the question meets a fault that was ordered for the desk."""
        headers = {"Stripe-Account": account} if account else {}
        for _ in range(9):
            with suppress(requests.ConnectionError):
                reply = self.control.session.get(
                    f"{self.sandbox.url}{path}", params={"limit": 100}, headers=headers
                )
                if reply.status_code not in (409, 429, 500):
                    break
        reply.raise_for_status()
        return list(reply.json()["data"])

    def lawful(self) -> None:
        """Every invariant of the books and the desk holds."""
        from core.queries import invariants

        assert self.read(check) == []
        assert [(each.name, each.rows) for each in self.read(invariants.run) if each.rows] == []


def a_market(database: Database, sandbox: StripeSandbox, home: Path, **settings: Any) -> Market:
    """A desk with staff, one payer and one payee, and a sandbox as new whose clock stands at `NOW`."""
    sandbox.control.reset()
    sandbox.control.set_clock(builders.NOW)
    sandbox.control.webhooks(auto=False)
    market = with_a_desk(builders.a_town(database), sandbox, home, **settings)
    market.newcomers()
    return market


def with_a_desk(town: Town, sandbox: StripeSandbox, home: Path, **settings: Any) -> Market:
    """The town at its sandbox, which is left as it is."""
    database = town.database
    chosen = Settings(
        home=home,
        database_url=database.url.render_as_string(hide_password=False),
        stripe_api_key=sandbox.key,
        stripe_api_base=sandbox.url,
        **{"smtp_url": "", "event_networks": "127.0.0.0/8", **settings},
    )
    log = sandbox.folder / "stripe-sandbox.jsonl"
    market = Market(**vars(town), sandbox=sandbox, log_from=log.stat().st_size)
    market.settings = tuple(sorted(settings.items()))
    market.desk = Desk(
        settings=chosen,
        database=database,
        auditor=database,
        payments=StripePayments(sandbox.key, base=sandbox.url),
        evidence=cast(Any, None),
        mail=mail_from(chosen),
        clock=lambda: market.now,
    )
    return market


@contextmanager
def a_sandbox(folder: Path) -> Iterator[StripeSandbox]:
    with StripeSandbox(folder, seed="test") as running:
        yield running


def as_party(number: int) -> Actor:
    return Actor("party", number)
