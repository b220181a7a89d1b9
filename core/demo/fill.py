"""Filling an empty desk by living three months in it. Nothing is inserted behind the actions' back."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core import audit
from core.actions.milestones import legal_checklist, parties
from core.actions.platform import opening_balances
from core.actions.staff import install, policy_change
from core.demo import bank, documents, people
from core.demo.break_scenarios import left_open, platform_payouts, restated_fees
from core.demo.month_ends import month_ends
from core.demo.payment_scenarios import odd_lines
from core.demo.project_run import ProjectRun, Wait
from core.demo.receiver import receiving
from core.demo.scenario_table import live
from core.demo.scenarios import LENGTH, ProjectPlan, plans
from core.demo.world import World, simulated
from core.desk import Desk
from core.gateways.stripe_sandbox import SandboxControl
from core.ledger import accounts
from core.money import Money
from core.policy import Platform
from core.processes import provider_accounts, reconciliation
from core.processes.settlement_currency import read as read_settlement_currencies
from core.rules.legal_checklist import Item
from core.rules.parties import PartyRole
from core.rules.permissions import SYSTEM, Role

ISSUER = "demo"
FLOAT = {"USD": 1_200_000, "EUR": 400_000, "JPY": 600_000, "KWD": 1_500_000}
BANK = {"USD": 4_250_000, "EUR": 2_800_000, "JPY": 3_600_000, "KWD": 9_500_000}
WEBHOOKS_FOR = timedelta(days=5)
Progress = Callable[[float, str], None]


@dataclass
class Filled:
    """What came of it, for the last line of the progress."""

    projects: int
    days: int


def fill(
    desk: Desk,
    sandbox: SandboxControl,
    *,
    seed: int,
    today: datetime,
    progress: Progress,
    scale: float = 1.0,
) -> Filled:
    """Live from 92 days ago until `today`. The same seed gives the same projects."""
    end = today.astimezone(UTC)
    start = end.replace(minute=0, second=0, microsecond=0) - LENGTH
    with simulated(desk, start, end, sandbox) as world:
        sandbox.set_clock(start)
        _found(world, seed)
        projects = list(plans(seed, scale))
        _live(world, projects, seed, start, progress)
        bank.import_statements(world, last=True)
        reconciliation.run(world.desk, SYSTEM)
        sandbox.clear_faults()
        progress(1.0, "sealing the audit log")
    _seal(desk)
    return Filled(projects=len(projects), days=LENGTH.days)


def _found(world: World, seed: int) -> None:
    desk = world.desk
    desk.database.run(lambda s: install.install(s, now=world.now, name=f"demo-{seed}", demo=True))
    for member in people.STAFF:
        desk.database.run(
            lambda s, member=member: install.add_staff(  # type: ignore[misc]
                s,
                SYSTEM,
                now=world.now,
                issuer=ISSUER,
                subject=member.subject,
                name=member.name,
                email=f"{member.subject}@example.com",
                roles=member.roles,
                title=member.title,
                skills=member.skills,
            )
        )
    _switch_payments_on(world)
    _name_issuers(world)
    for currency, amount in BANK.items():
        world.act(opening_balances.book, SYSTEM, account=accounts.BANK, amount=Money(amount, currency))
    bank.open_accounts(world)
    for currency, amount in FLOAT.items():
        world.sandbox.add_float(amount, currency)
    read_settlement_currencies(desk)
    reconciliation.run(desk, SYSTEM)


def _name_issuers(world: World) -> None:
    """Two administrators publish who issues each marketplace's documents, with the tax in them."""
    maker, checker = (world.staff(each) for each in world.staff_with(Role.ADMINISTRATOR)[:2])
    for platform, issuer in people.ISSUERS.items():
        reason = "Documents name their issuer and state its tax."
        row = world.act(policy_change.propose, maker, platform=platform, changes=issuer, reason=reason)
        world.act(policy_change.approve, checker, proposal_id=row.id)


def _switch_payments_on(world: World) -> None:
    """The compliance officer signs the legal checklist of both platforms."""
    officer = world.staff(world.staff_with(Role.COMPLIANCE)[0])
    for platform in Platform:
        for item in Item:
            note = people.MEMOS[item]
            world.act(
                legal_checklist.sign,
                officer,
                platform=platform,
                item=item,
                note=note,
                document=documents.memo_pdf(title=item.label, text=note),
                document_name=f"memo-{item.value.lower().replace('_', '-')}.pdf",
                valid_until=world.now.date() + timedelta(days=730),
                review_on=world.now.date() + timedelta(days=365),
            )


def _live(world: World, projects: list[ProjectPlan], seed: int, start: datetime, progress: Progress) -> None:
    """Wake every project when its time comes, in order, and reconcile once a week."""
    turns: list[tuple[datetime, int, Wait]] = []
    for plan in projects:
        heapq.heappush(turns, (start + plan.start, plan.number, _live_through(world, plan, seed)))
    lives = (
        odd_lines(world),
        platform_payouts(world),
        left_open(world),
        restated_fees(world),
        month_ends(world),
    )
    for place, story in enumerate(lives):
        heapq.heappush(turns, (start, -place, story))
    sunday = start + timedelta(days=7)
    with receiving(world, from_=world.ends - WEBHOOKS_FOR) as listen:
        while turns and turns[0][0] <= world.ends:
            at, number, story = heapq.heappop(turns)
            while sunday <= at:
                world.until(sunday)
                if (sunday - start) // timedelta(days=7) in bank.WEEKS:
                    bank.import_statements(world)
                reconciliation.run(world.desk, SYSTEM, payees=False)
                sunday += timedelta(days=7)
            world.until(at)
            listen()
            wait = next(story, None)
            if wait is not None:
                heapq.heappush(turns, (world.now + wait, number, story))
            progress((world.now - start) / LENGTH, f"{world.now:%d %B}")
        world.until(world.ends)
        world.background()


def _live_through(world: World, plan: ProjectPlan, seed: int) -> Wait:
    draw = random.Random(f"tale/{seed}/{plan.number}")
    run = ProjectRun(world, plan, 0, 0, draw)
    run.payer_id = _register(
        world, plan, PartyRole.PAYER, people.payer(draw, plan.total.currency), plan.number
    )
    provider = people.payee(draw, plan.total.currency, plan.platform)
    run.payee_id = _register(world, plan, PartyRole.PAYEE, provider, people.number_of(provider))
    yield from live(run)


def _register(world: World, plan: ProjectPlan, role: str, card: people.PartyCard, number: Any) -> int:
    """A payee is one party per name and currency, so that some have a history."""
    suffix = "" if role == PartyRole.PAYER else f"-{plan.total.currency}"
    party = world.desk.database.run(
        lambda s: parties.register(
            s,
            now=world.now,
            platform=plan.platform,
            external_id=f"{role.lower()}-{number}{suffix}",
            role=role,
            name=card.name,
            email=card.email,
            city=card.city,
            country=card.country,
            withdrawal_method=card.method,
        )
    )
    provider_accounts.open_at_provider(
        world.desk,
        party.id,
        currency=plan.total.currency,
        payment_method=card.card,
        bank_token=card.bank,
    )
    return party.id


def _seal(desk: Desk) -> None:
    home, now = desk.settings.home, desk.clock()
    audit.seal(desk.database, audit.desk_signer(desk.database, home, now=now), home / "checkpoints", now=now)
