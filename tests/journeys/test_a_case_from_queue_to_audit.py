"""The main job as people do it: a mediator decides, finance checks the money, compliance proves the record.

Each test goes on where the one before ended, on the same demo; `make test` keeps the tests of a file together.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from core.money import Money
from core.rules.masking import masked_name
from tests.journeys.desk import Demo, Person, until

REASONS = "The cabinets hang, the worktop is missing; the photographs and the agreed scope say the same."
CASE = """
select t.id as number, m.id as milestone, m.project_id as project, m.currency, o.held_minor as held, s.name as mediator
from cases t
join milestones m on m.id = t.milestone_id
join payment_orders o on o.milestone_id = m.id
join projects p on p.id = m.project_id
join staff s on s.id = t.mediator_id
where m.status = 'IN_MEDIATION' and t.status = 'UNDER_REVIEW' and p.platform = 'home_services'
  and exists (select from milestones n where n.project_id = m.project_id and n.status = 'PLANNED')
  and exists (select from evidence e where e.milestone_id = m.id)
  and not exists (select from holds h where h.milestone_id = m.id and h.released_at is null)
  and not exists (select from decisions d where d.case_id = t.id and d.status in ('AWAITING_APPROVAL', 'COOLING_OFF'))
order by o.held_minor limit 1
"""
KNOWN = """
select p.scope, payer.name as payer, (select body from messages where milestone_id = m.id order by id limit 1) as said
from milestones m join projects p on p.id = m.project_id join parties payer on payer.id = p.payer_id where m.id = :m
"""
DONE: dict[str, Any] = {}


@pytest.fixture(scope="module")
def case(demo: Demo) -> dict[str, Any]:
    """An open case of the demo, below every threshold, with more milestones after it."""
    found: dict[str, Any] = demo.one(CASE)
    return found


def test_a_mediator_finds_the_case_reads_it_and_decides_it_once(
    demo: Demo, person: Person, case: dict[str, Any]
) -> None:
    number, page = case["number"], person.page
    person.sign_in(case["mediator"], arriving="Cases")
    page.get_by_placeholder("Party, title or D-42").fill(f"D-{number}")
    page.keyboard.press("Enter")
    person.settle()
    expect(page.get_by_text("1 case", exact=True)).to_be_visible()
    person.queue().get_by_role("button", name=re.compile(f"^Open D-{number},")).click()
    person.arrive(f"D-{number}")

    # Everything about the case is there to be read.
    person.press("Open")
    person.reads("Submitted by")
    known = demo.one(KNOWN, m=case["milestone"])
    for tab, words in {
        "Timeline": "Bid accepted",
        "Messages": known["said"],
        "Terms": known["scope"],
        "Money": f"held:{case['milestone']}",
        "Parties": known["payer"],
    }.items():
        person.tab(tab)
        expect(page.get_by_role("tabpanel", name=tab).first).to_contain_text(words)
    person.tab("Evidence")
    viewed = "select count(*) from evidence_views v join evidence e on e.id = v.evidence_id where e.milestone_id = :m"
    assert demo.one(viewed, m=case["milestone"]) >= 1

    # Forty percent to the payee; both nets are said before anything is decided.
    panel = page.locator(".st-key-case-panel")
    panel.get_by_role("radio", name="Partial release").click()
    person.settle()
    panel.get_by_role("radio", name="%", exact=True).click()
    person.settle()
    panel.get_by_label(re.compile("^Release to")).fill("40")
    person.settle()
    panel.get_by_label("Ground").click()
    page.get_by_role("option", name="Partial work").click()
    person.settle()
    panel.get_by_role("textbox", name="Reasons").fill(REASONS)
    page.keyboard.press("Tab")
    person.settle()
    for reference in ("Engagement scope", "Message history", "Milestone evidence"):
        person.tick(reference, inside=panel)
    held = Money(case["held"], case["currency"])
    release = held.portion(4_000, step=10 if held.currency == "KWD" else 1)
    expect(panel).to_contain_text(release.text())

    # The plan: postings, calls, balances, letters. Then confirmed, with a double click.
    person.press("Preview plan")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Plan hash")
    expect(dialog).to_contain_text(f"held:{case['milestone']}")
    seen = re.search(r"\b[0-9a-f]{64}\b", dialog.inner_text())
    assert seen
    dialog.get_by_role("tab", name="Stripe requests").click()
    person.settle()
    expect(dialog).to_contain_text("/v1/transfers")
    expect(dialog).to_contain_text("/v1/refunds")
    dialog.get_by_role("tab", name="E-mails").click()
    person.settle()
    expect(dialog).to_contain_text(REASONS[:40])
    assert demo.one("select count(*) from decisions where case_id = :t", t=number) == 0
    dialog.get_by_role("button", name="Confirm decision").dblclick()
    expect(page.get_by_text("Decided and posted.")).to_be_visible()
    person.settle()

    (decision,) = demo.rows("select * from decisions where case_id = :t", t=number)
    assert (decision["status"], decision["plan_hash"]) == ("EXECUTED", seen.group())
    assert (decision["release_minor"], decision["refund_minor"]) == (
        release.minor,
        case["held"] - release.minor,
    )
    DONE.update(decision=decision, release=release)
    assert person.foreign == set()
    assert person.troubles == []


def test_the_worker_moves_the_money_once_and_everybody_is_told(demo: Demo, case: dict[str, Any]) -> None:
    calls = {each["kind"]: each for each in DONE["decision"]["plan"]["operations"]}
    sent = "select status from outgoing_operations where key = :key"
    for kind in ("REFUND", "TRANSFER"):
        key = calls[kind]["key"]
        until(lambda key=key: demo.one(sent, key=key) == "SUCCEEDED")  # type: ignore[misc]
        (call,) = demo.calls(key)
        assert (call["path"], call["body"]["amount"]) == (
            calls[kind]["path"],
            str(calls[kind]["params"]["amount"]),
        )
    milestone = "select status, outcome from milestones where id = :m"
    assert demo.one(milestone, m=case["milestone"]) == {"status": "COMPLETED", "outcome": "SPLIT"}
    order = "select held_minor, released_minor, refunded_minor from payment_orders where milestone_id = :m"
    assert demo.one(order, m=case["milestone"]) == {
        "held_minor": 0,
        "released_minor": DONE["release"].minor,
        "refunded_minor": case["held"] - DONE["release"].minor,
    }
    upcoming = "select status from milestones where project_id = :p and id > :m order by position limit 1"
    assert demo.one(upcoming, p=case["project"], m=case["milestone"]) == "AWAITING_FUNDING"
    journals = "select count(*) from journals where key = :key"
    assert demo.one(journals, key=DONE["decision"]["plan"]["journal"]["key"]) == 1
    letters = """select count(distinct party_id) from notifications
                 where milestone_id = :m and template = 'decision_partial_release' and status = 'SENT'"""
    until(lambda: demo.one(letters, m=case["milestone"]) == 2)
    webhooks = "select count(*) from webhook_events where status = 'APPLIED' and payload::text like '%' || :op || '%'"
    until(lambda: demo.one(webhooks, op=calls["TRANSFER"]["key"]) >= 1)


def test_finance_sees_books_that_balance_and_the_journal_of_the_decision(
    demo: Demo, person: Person, case: dict[str, Any]
) -> None:
    page, decision = person.page, DONE["decision"]
    person.sign_in("Farah Siddiqui", arriving="Overview")
    person.go("Trial balance")
    currencies = demo.one("select array_agg(distinct currency) from account_balances where net <> 0")
    for currency in currencies:
        page.get_by_role("radio", name=currency, exact=True).click()
        person.settle()
        person.reads(f"{currency}, the platform's book")
        assert page.get_by_text("Balanced", exact=True).count() >= 1
        for difference in re.findall(r"Difference\s+(\S+(?: \S+)?)", person.main()):
            assert not re.search(r"[1-9]", difference), (currency, difference)
    off = "select count(*) from (select sum(net) as net from account_balances group by currency, book) s where net <> 0"
    assert demo.one(off) == 0

    person.go("Journals")
    key = decision["plan"]["journal"]["key"]
    page.get_by_placeholder("Key, memo or number").fill(key)
    page.keyboard.press("Enter")
    person.settle()
    number = demo.one("select id from journals where key = :key", key=key)
    expect(person.grid().locator("table")).to_contain_text(f"J-{number}")
    page.goto(f"{demo.url}/journal?id={number}")
    person.arrive(f"Journal J-{number}")
    for posting in decision["plan"]["journal"]["postings"]:
        person.reads(posting["account"])
        person.reads(Money(abs(posting["amount"]), case["currency"]).text())


def test_finance_sees_the_fee_and_the_payout(demo: Demo, person: Person, case: dict[str, Any]) -> None:
    page = person.page
    person.sign_in("Farah Siddiqui", arriving="Overview")
    person.go("Fees")
    page.get_by_role("radio", name=case["currency"], exact=True).click()
    person.settle()
    kept = Money(DONE["decision"]["plan"]["amounts"]["fee_kept"], case["currency"])
    assert kept.is_positive
    earned = """select coalesce(-sum(p.amount), 0) from postings p join accounts a on a.id = p.account_id
                where a.code = 'platform_fee_revenue' and a.currency = :currency"""
    person.reads(Money(int(demo.one(earned, currency=case["currency"])), case["currency"]).text())
    person.go("Payouts")
    person.reads("Under way")
    number = int(demo.one("select payee_id from projects where id = :p", p=case["project"]))
    payee = masked_name(demo.one("select name from parties where id = :id", id=number), number)
    table = person.grid().locator("table")
    expect(table).to_contain_text(payee)
    expect(table).to_contain_text(DONE["release"].text())
    person.go("Operations")
    for kind in ("transfer", "refund"):
        expect(person.grid().locator("table")).to_contain_text(f"decision.{case['number']}.1.{kind}")


def test_finance_reconciles_and_nothing_differs_but_what_was_left_open(demo: Demo, person: Person) -> None:
    newest = "select max(id) from reconciliation_runs"
    before = demo.one(newest)
    person.sign_in("Farah Siddiqui", arriving="Overview")
    person.go("Reconciliation")
    person.press("Run now")
    number = until(lambda: (found := demo.one(newest)) > before and found)
    result = "select status, lines, matched, in_suspense, breaks from reconciliation_runs where id = :id"
    run = until(lambda: (row := demo.one(result, id=number))["status"] != "RUNNING" and row)
    # What the demo has left for a person keeps the run from being called clean, and nothing else does.
    at_stripe = "select count(*) from reconciliation_breaks where run_id = :id and side = 'STRIPE'"
    in_suspense = "select count(*) from suspense_items where status = 'OPEN' and transaction_id is not null"
    left = demo.one(at_stripe, id=number) + demo.one(in_suspense)
    assert run["matched"] == run["lines"] - left
    assert run["status"] == ("BREAKS" if run["breaks"] else "SUSPENSE" if run["in_suspense"] else "CLEAN")
    assert demo.one("select count(*) from breaks where first_run_id = :id", id=number) == 0
    person.arrive(f"Run RC-{number}")  # the page goes there by itself when the run is over
    person.reads(re.compile("match", re.IGNORECASE))
    person.reads("Breaks")


def test_compliance_reads_proves_and_exports_what_was_done(
    demo: Demo, person: Person, case: dict[str, Any], tmp_path: Path
) -> None:
    page, number = person.page, case["number"]
    person.sign_in("Ines Carvalho", arriving="Audit log")
    page.get_by_role("button", name="More").click()
    page.get_by_label("Case", exact=True).fill(f"D-{number}")
    page.keyboard.press("Enter")
    person.settle()
    page.keyboard.press("Escape")
    person.settle()
    person.reads(f"Case D-{number}")
    table = person.grid().locator("table")
    expect(table).to_contain_text("mediator:decision:confirm")
    expect(table).to_contain_text(REASONS)

    person.press("Verify")
    expect(
        page.get_by_text(re.compile(r"All [\d,]+ rows under [\d,]+ seals? are as they were sealed"))
    ).to_be_visible()

    wanted = "select id, action from audit_entries where ticket_id = :t order by id"
    for words, read in (("CSV, for a spreadsheet", _csv), ("JSON Lines, exact", _json_lines)):
        entries = demo.rows(wanted, t=number)
        exported = read(_exported(person, words, tmp_path))
        assert [(int(row["id"]), row["action"]) for row in exported] == [
            (row["id"], row["action"]) for row in entries
        ]
        confirmed = next(row for row in exported if row["action"] == "mediator:decision:confirm")
        after = confirmed["after"] if isinstance(confirmed["after"], dict) else json.loads(confirmed["after"])
        assert (after["plan"], confirmed["reason"]) == (DONE["decision"]["plan_hash"], REASONS)
    exports = "select count(*) from audit_entries where action = :done and actor_kind = 'staff'"
    assert demo.one(exports, done="audit:export:finish") >= 2, (
        "whoever takes the log out of the house is in the log"
    )


def _exported(person: Person, words: str, folder: Path) -> str:
    page = person.page
    person.press("Export")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(words).click()
    person.settle()
    dialog.get_by_role("button", name="Prepare the file").click()
    offered = dialog.get_by_role("link", name=re.compile(r"Download audit-.*"))
    expect(offered).to_be_visible()
    with page.expect_download() as download:
        offered.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    dialog.get_by_role("button", name="Close", exact=True).click()
    expect(dialog).to_have_count(0)
    person.settle()
    return path.read_text(encoding="utf-8")


def _csv(content: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(content)))


def _json_lines(content: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def test_nobody_decides_the_case_again(demo: Demo, person: Person, case: dict[str, Any]) -> None:
    """Another mediator opens the decided case: the decision stands there, and no form."""
    other = demo.one(
        "select s.name from staff s join staff_roles r on r.staff_id = s.id"
        " where r.role = 'mediator' and s.name <> :name order by s.id limit 1",
        name=case["mediator"],
    )
    person.sign_in(other, arriving="Cases")
    person.page.goto(f"{demo.url}/case?id={case['number']}")
    person.arrive(f"D-{case['number']}")
    person.reads(case["mediator"])
    expect(person.page.get_by_role("button", name="Preview plan")).to_have_count(0)
    assert demo.one("select count(*) from decisions where case_id = :t", t=case["number"]) == 1
