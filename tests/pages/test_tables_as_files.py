"""Every table of every page can be taken whole: a file holds the rows of the database, not those of the screen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.actions.bank_statements import accounts, imports
from core.actions.milestones import verification
from core.actions.risk import holds
from core.actions.staff import sessions
from core.api.webhooks import endpoints
from core.db import Database
from core.demo import bank_files
from core.embedded_postgres import Server
from core.money import Money
from core.records import Break, Chargeback, ReconciliationBreak, ReconciliationRun, WebhookEvent
from core.rules.permissions import TABLE, Permission
from dashboard import downloads, request_context
from tests import builders, unrecorded
from tests.builders import PEOPLE, Told, Town
from tests.database import fresh_copy
from tests.pages.downloading import fetch, offered, rows_of, taken
from tests.pages.test_audit import seal
from tests.pages.visiting import serve, visit

MANY = 53  # more than one page of fifty


COPIED = {
    "projects": {"bid_reference": "(t).bid_reference || '-' || n"},
    "outgoing_operations": {"key": "(t).key || '-' || n", "provider_id": "'x_' || n"},
    "payouts": {
        "stripe_payout": "'po_' || n",
        "stripe_transfer": "'tr_' || n",
        "transfer_operation_id": "1000 + n",
    },
}  # table → what must differ


class Big(NamedTuple):
    town: Town
    owner: Database
    home: Path
    told: list[Told]


@pytest.fixture(scope="module")
def big(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Big]:
    """A desk on which everything has happened more than fifty times."""
    with fresh_copy(server, template) as urls:
        database, owner = Database(urls.app_url), Database(urls.owner_url)
        town = builders.a_town(database)
        town.act(
            endpoints.add_endpoint,
            town.as_staff("ada"),
            platform="home_services",
            url="https://market.example/events",
            master=bytes(32),
        )
        told = [_paid(town) for _ in range(4)]
        builders.carry_out(town)
        held = builders.funded(town)
        for _ in range(MANY):
            town.act(holds.place, town.as_staff("cora"), milestone_id=held.milestone, reason="=Müller")
        waiting = builders.in_mediation(town, total=Money(4_000_000, "USD"))
        assert builders.decided(town, waiting).status == "AWAITING_APPROVAL"
        with owner.transaction() as session:
            _beside(session, town)
        _bank(town)
        home = tmp_path_factory.mktemp("home")
        seal(town, home)
        yield Big(town, owner, home, told)
        database.dispose()
        owner.dispose()


def _bank(town: Town) -> None:
    """Two statements, the first of as many lines."""
    fay, day = town.as_staff("fay"), date(2026, 2, 1)
    numbered = {"code": "main", "name": "=Main", "currency": "USD", "identifier": "NL26VAYB8060476890"}
    town.act(accounts.register, fay, **numbered)
    lines = [bank_files.DemoLine(day, Money(1, "USD"), "", "Stripe", "=Payout")] * MANY
    one = bank_files.DemoStatement("NL26VAYB8060476890", "S1", Money(0, "USD"), day, day, lines)
    two = bank_files.DemoStatement("NL26VAYB8060476890", "S2", one.closing, day, day, [])
    town.act(imports.take, fay, code="main", file="a.xml", content=bank_files.camt053(one, two), store=None)


def _paid(town: Town) -> Told:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    return told


def _beside(session: Session, town: Town) -> None:
    """What comes from outside, row by row."""
    now = town.now
    for table, apart in COPIED.items():
        fresh = ", ".join(f"'{column}', {value}" for column, value in apart.items())
        session.execute(
            text(
                f"insert into {table} select (jsonb_populate_record(t, jsonb_build_object('id', 1000 + n, {fresh}))).*"
                f" from (select x from {table} x order by x.id limit 1) one (t), generate_series(1, {MANY}) n"
            )
        )
    for status in ("doing", "failed"):
        session.execute(
            text(
                "insert into procrastinate_jobs (queue_name, task_name, status)"
                f" select 'default', 'deliver', '{status}' from generate_series(1, {MANY})"
            )
        )
    session.execute(text(f"insert into procrastinate_workers select from generate_series(1, {MANY})"))
    for n in range(MANY):
        session.add(
            ReconciliationRun(until=now, started_at=now, status="CLEAN", started_by=None, finished_at=now)
        )
        session.add(
            WebhookEvent(
                id=f"evt_{n}", kind="charge.updated", object_id=f"ch_{n}", payload={}, status="APPLIED",
                next_try_at=now, created_at=now, received_at=now + timedelta(seconds=n // 2),
            )
        )  # fmt: skip
        session.add(
            Chargeback(
                milestone_id=1, stripe_dispute=f"du_{n}", stripe_charge="ch_1", status="won", reason="fraudulent",
                currency="USD", amount_minor=5, booked_currency="USD", fees_currency="USD",
                opened_at=now, noticed_at=now, closed_at=now,
            )
        )  # fmt: skip
    session.flush()
    for n in range(MANY):
        session.add(
            ReconciliationBreak(
                run_id=1, kind="NOT_IN_LEDGER", transaction_id=f"txn_{n}", currency="USD", at_provider=-5
            )
        )
    session.execute(text("update notifications set status = 'FAILED' where id % 2 = 0"))
    session.execute(
        text(
            "insert into statement_lines select id, kind, reporting_category, amount, fee, net, currency, source,"
            " created_at, created_at from balance_transactions"
        )
    )
    session.execute(
        text(
            "insert into suspense_items (transaction_id, source, currency, amount_minor, status, found_at)"
            " select id, 'ch_stray', currency, -1050, 'OPEN', :now from balance_transactions order by id limit :many"
        ),
        {"now": now, "many": MANY},
    )
    session.execute(
        text(
            "update suspense_items set status = 'SETTLED', settled_as = 'OWN_MONEY', proposed_as = 'OWN_MONEY',"
            " reason = 'x',"
            " proposed_reason = 'x', proposed_at = :now, settled_at = :now, proposed_by = :fay, settled_by = :ada"
            " where id % 2 = 0"
        ),
        {"now": now, "fay": town.staff["fay"], "ada": town.staff["ada"]},
    )
    for n in range(MANY):
        session.add(
            Break(
                side="STRIPE", object=f"txn_{n}", currency="USD", kind="NOT_IN_LEDGER", class_="UNKNOWN", theirs=-5,
                since=now, opened_at=now, last_seen_at=now, status="CLOSED" if n % 5 == 0 else "OPEN",
                closed_at=now if n % 5 == 0 else None, closed_as="AGREES" if n % 5 == 0 else None,
            )
        )  # fmt: skip
    session.flush()
    unrecorded.admit(session)


class Case(NamedTuple):
    file: str
    page: str
    count: str
    params: Mapping[str, Any] = MappingProxyType({})
    permission: Permission = Permission.EXPORT_LEDGER
    who: str = "cora"


EXPORT_CASE, EXPORT_AUDIT = Permission.EXPORT_CASE, Permission.EXPORT_AUDIT
ACCOUNT = "select count(*) from account_postings p join accounts a on a.id = p.account_id where a.code = "
CASES = [
    Case("documents", "documents", "select count(*) from receipts"),
    Case(
        "documents", "documents", "select count(*) from receipts where kind = 'FUNDING'", {"kind": "FUNDING"}
    ),
    Case("journals", "journals", "select sum(cardinality(amounts)) from journals"),
    Case(
        "journals",
        "journals",
        "select sum(cardinality(amounts)) from journals where kind = 'withdrawal'",
        {"kind": "withdrawal"},
    ),
    Case(
        "journals",
        "journals",
        "select sum(cardinality(amounts)) from journals j where id in (select journal_id from account_postings p"
        " join accounts a on a.id = p.account_id where a.code = 'held:1')",
        {"account": "held:1"},
    ),
    Case("postings", "journal", "select cardinality(amounts) from journals where id = 1", {"id": 1}),
    Case("account", "account", f"{ACCOUNT} 'stripe_balance'", {"code": "stripe_balance", "iso": "USD"}),
    Case(
        "accounts",
        "trial_balance",
        "select count(*) from accounts where code like 'held:%'",
        {"line": "held", "everything": "true"},
    ),
    Case(
        "trial-balance",
        "trial_balance",
        "select count(*) from (select a.line from account_postings p join accounts a on a.id = p.account_id"
        " join chart c on c.line = a.line where c.book = 'platform' group by 1 having sum(p.amount) <> 0) lines",
    ),
    Case("fees", "fees", "select 1", {"by": "month"}),
    Case("payouts", "payouts", "select count(*) from payouts"),
    Case(
        "payouts", "payouts", "select count(*) from payouts where method = 'standard'", {"method": "standard"}
    ),
    Case("payout-calls", "payouts", "select 2", {"id": 1}),
    Case(
        "waiting-for-a-second-person",
        "overview",
        "select count(*) from decisions where status = 'AWAITING_APPROVAL'",
    ),
    Case("payouts-waiting", "payouts", "select 2", {"payouts-tab": "Stopped money"}),
    Case("operations", "operations", "select count(*) from outgoing_operations"),
    Case(
        "operations",
        "operations",
        "select count(*) from outgoing_operations where kind = 'TRANSFER'",
        {"kind": "TRANSFER"},
    ),
    Case(
        "webhooks", "operations", "select count(*) from webhook_events", {"operations-tab": "Webhook inbox"}
    ),
    Case(
        "marketplace-events",
        "operations",
        "select count(*) from outgoing_events",
        {"operations-tab": "Events to marketplaces"},
    ),
    Case(
        "marketplace-events",
        "operations",
        "select count(*) from outgoing_events where kind = 'milestone.status_changed'",
        {"operations-tab": "Events to marketplaces", "event-kind": "milestone.status_changed"},
    ),
    Case(
        "failed-jobs",
        "operations",
        "select count(*) from procrastinate_jobs where status = 'failed'",
        {"operations-tab": "Workers and jobs"},
    ),
    Case(
        "workers",
        "operations",
        "select count(*) from procrastinate_workers",
        {"operations-tab": "Workers and jobs"},
    ),
    Case(
        "jobs",
        "operations",
        "select count(distinct task_name) from procrastinate_jobs",
        {"operations-tab": "Workers and jobs"},
    ),
    Case(
        "letters-undelivered",
        "operations",
        "select count(*) from notifications where status in ('FAILED', 'QUEUED')",
        {"operations-tab": "E-mails"},
        EXPORT_CASE,
    ),
    Case("reconciliation-runs", "reconciliation", "select count(*) from reconciliation_runs"),
    Case("breaks-of-a-run", "reconciliation", "select count(*) from reconciliation_breaks", {"id": 1}),
    Case(
        "matched-lines",
        "reconciliation",
        "select count(*) from balance_transactions b where not exists"
        " (select from suspense_items s where s.transaction_id = b.id and s.status = 'OPEN')",
        {"id": 1, "run-tab": "Matched lines"},
    ),
    Case("breaks", "reconciliation", "select count(*) from breaks where status = 'OPEN'"),
    Case("explained-money", "reconciliation", "select count(*) from suspense_items where status = 'SETTLED'"),
    Case("bank-accounts", "bank_statements", "select count(*) from bank_accounts"),
    Case("bank-statements", "bank_statements", "select count(*) from bank_statements"),
    Case(
        "bank-statement-1",
        "bank_statements",
        "select count(*) from bank_statement_lines where statement_id = 1",
        {"id": 1},
    ),
    Case("chargebacks", "chargebacks", "select count(*) from chargebacks"),
    Case(
        "chargeback-outcomes",
        "chargebacks",
        "select count(distinct (p.platform, c.reason, c.currency)) from chargebacks c"
        " join milestones m on m.id = c.milestone_id join projects p on p.id = m.project_id",
    ),
    Case("holds", "holds", "select count(*) from holds", {"state": ""}, EXPORT_CASE),
    Case("approvals", "approvals", "select 1", {}, EXPORT_CASE, "max"),
    Case("projects", "projects", "select count(*) from projects", {}, EXPORT_CASE),
    Case("cases", "project", "select 1", {"id": 6}, EXPORT_CASE),
    Case(
        "letters",
        "project",
        "select count(*) from notifications where project_id = 1",
        {"id": 1},
        EXPORT_CASE,
    ),
    Case(
        "disputes",
        "disputes",
        "select count(*) from cases where status in ('OPEN', 'UNDER_REVIEW')",
        {},
        EXPORT_CASE,
    ),
    Case(
        "letters",
        "case",
        "select count(*) from notifications n join cases t on t.milestone_id = n.milestone_id",
        {"id": 1, "tab": "E-mails"},
        EXPORT_CASE,
    ),
    Case("held-longest", "overview", "select count(*) from payment_orders where held_minor > 0"),
    Case("journals", "overview", "select sum(cardinality(amounts)) from journals"),
    Case("register-intents", "registers", "select count(*) from charges", {}, EXPORT_AUDIT),
    Case(
        "register-intents",
        "registers",
        "select count(*) from charges c join milestones m on m.id = c.milestone_id where m.project_id = 1",
        {"project": 1, "intent": "SUCCEEDED"},
        EXPORT_AUDIT,
    ),
    Case(
        "register-decisions",
        "registers",
        "select count(*) from decisions",
        {"register": "Refund decisions"},
        EXPORT_AUDIT,
    ),
    Case(
        "register-receipts",
        "registers",
        "select count(*) from receipts",
        {"register": "Receipts"},
        EXPORT_AUDIT,
    ),
    Case(
        "register-holds_and_releases",
        "registers",
        "select count(*) from audit_entries where project_id = 5"
        " and (action like '%:hold:place' or action = 'system:payment:hold')",
        {"register": "Holds and releases", "project": 5},
        EXPORT_AUDIT,
    ),
    Case("staff", "people", "select count(*) from staff", {}, EXPORT_AUDIT),
    Case("policy-versions", "policy", "select count(*) from policy_versions", {}, EXPORT_AUDIT),
    Case("legal-checklist", "policy", "select count(*) from legal_signatures", {}, EXPORT_AUDIT),
    Case("seals", "audit", "select count(*) from seals", {"show": "Seals"}, EXPORT_AUDIT),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{each.file}-{place}" for place, each in enumerate(CASES)])
def test_the_file_holds_every_row_that_matches(big: Big, case: Case) -> None:
    serve(big.town, big.home)
    rows = rows_of(taken(visit(big.town, case.who, case.page, **case.params), f"{case.file}.csv"))
    with big.owner.reading() as session:
        assert len(rows) == session.scalar(text(case.count))


def readers(case: Case) -> Iterator[str]:
    """Whoever sees the page and may not take its table."""
    from dashboard import navigation

    page = navigation.on_disk()[case.page].permission
    for subject, (_, role) in PEOPLE.items():
        if role in TABLE[page] and role not in TABLE[case.permission]:
            yield subject


UNLIKE = {(each.page, each.file): each for each in CASES}


@pytest.mark.parametrize("case", UNLIKE.values(), ids=[f"{page}-{file}" for page, file in UNLIKE])
def test_who_may_not_take_a_table_is_offered_none(big: Big, case: Case) -> None:
    serve(big.town, big.home)
    for subject in readers(case):
        assert f"{case.file}.csv" not in offered(visit(big.town, subject, case.page, **case.params)), subject


def holds_page(big: Big) -> tuple[str, str]:
    """The address of a file, and the token of the session that it was offered to."""
    serve(big.town, big.home)
    app = visit(big.town, "cora", "holds", state="", words="ller")
    return offered(app)["holds.csv"], str(app.session_state["desk:token"])


def test_the_file_reads_like_a_machines_and_is_safe_in_a_spreadsheet(big: Big) -> None:
    answer = fetch(*holds_page(big))
    first = rows_of(answer)[0]
    assert first["Reason"] == "'=Müller"
    assert first["Placed"] == "2026-03-02T09:30:00Z"
    assert first["Stopped currency"] == "USD"
    assert first["Stopped"].replace(".", "").isdigit()
    assert "holds_words_2026" in answer.headers["content-disposition"]


def test_the_log_says_who_took_which_table_and_keeps_the_words_to_itself(big: Big) -> None:
    where, token = holds_page(big)
    answer = fetch(where, token)
    with big.owner.reading() as session:
        entry = session.execute(
            text("select * from audit_entries where action = 'desk:table:export' order by id desc limit 1")
        ).one()
    assert entry.actor_id == big.town.staff["cora"]
    assert entry.object_id in answer.headers["content-disposition"]
    assert entry.after["filter"] == {"words": "given"}
    assert entry.after["rows"] == MANY
    assert entry.after["sha256"] == hashlib.sha256(answer.content).hexdigest()


def test_a_file_is_for_the_session_that_it_was_offered_to(big: Big) -> None:
    where, token = holds_page(big)
    same_person = visit(big.town, "cora", "holds").session_state["desk:token"]
    other = visit(big.town, "mia", "holds").session_state["desk:token"]
    for stranger in (same_person, other, "", "x" * 43):
        assert (fetch(where, str(stranger)).status_code, fetch(where, token).status_code) == (404, 200)


def test_who_asks_for_the_head_of_a_file_gets_nothing_of_it(big: Big) -> None:
    """Some files are given out once, and a program that only looks would use them up."""
    where, token = holds_page(big)
    headers = {"cookie": f"{request_context.COOKIE}={token}"}
    with TestClient(Starlette(routes=downloads.routes(request_context.desk()))) as http:
        assert http.head(where, headers=headers).status_code == 405
    assert fetch(where, token).status_code == 200


def test_the_permission_is_asked_when_the_file_is_fetched(big: Big) -> None:
    where, token = holds_page(big)

    def becomes(role: str) -> None:
        given = {"cora": big.town.staff["cora"], "role": role}
        with big.owner.transaction() as session:
            session.execute(text("delete from staff_roles where staff_id = :cora"), given)
            session.execute(text("insert into staff_roles (staff_id, role) values (:cora, :role)"), given)

    becomes("finance")
    try:
        answer = fetch(where, token)
    finally:
        becomes("compliance")
    assert (answer.status_code, answer.text) == (
        403,
        "You may not export a case: that is for mediators and compliance.",
    )


def test_an_offer_ends(big: Big) -> None:
    where, token = holds_page(big)
    desk, now = request_context.desk(), request_context.now()
    try:
        request_context.use(replace(desk, clock=lambda: now + timedelta(minutes=14)))
        assert fetch(where, token).status_code == 200
        request_context.use(replace(desk, clock=lambda: now + sessions.IDLE))
        assert fetch(where, token).status_code == 404
    finally:
        request_context.use(desk)
    assert not downloads.find(where.removeprefix(downloads.PATH), visitor(big, token), now + downloads.FOR)


def visitor(big: Big, token: str) -> sessions.SignedIn:
    found = big.town.read(lambda session: sessions.resolve(session, token, now=big.town.now, touch=False))
    assert found
    return found
