"""The main job as people do it: a mediator decides, finance checks the money, compliance proves the record.

Each test goes on where the one before ended, on the same demo.
"""

from __future__ import annotations

import re
from time import monotonic, sleep
from typing import Any

import pytest
from playwright.sync_api import expect

from core.money import Money
from tests.journeys.desk import Demo, Person

pytestmark = pytest.mark.xdist_group("journey")
REASONS = "The cabinets hang, the worktop is missing; the photographs and the agreed scope say the same."
CASE = """
select t.id as ticket, m.id as milestone, m.project_id as project, m.currency, o.held_minor as held, s.name as mediator
from tickets t
join milestones m on m.id = t.milestone_id
join payment_orders o on o.milestone_id = m.id
join projects p on p.id = m.project_id
join staff s on s.id = t.mediator_id
where m.status = 'IN_MEDIATION' and t.status = 'UNDER_REVIEW' and p.platform = 'home_services'
  and exists (select from milestones n where n.project_id = m.project_id and n.status = 'PLANNED')
  and exists (select from evidence e where e.milestone_id = m.id)
  and not exists (select from holds h where h.milestone_id = m.id and h.released_at is null)
  and not exists (select from decisions d where d.ticket_id = t.id and d.status in ('AWAITING_APPROVAL', 'COOLING_OFF'))
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


def until(happened: Any, *, within: float = 60) -> Any:
    end = monotonic() + within
    while not (found := happened()):
        assert monotonic() < end, "it did not happen in time"
        sleep(0.2)
    return found


def test_a_mediator_finds_the_case_reads_it_and_decides_it_once(
    demo: Demo, person: Person, case: dict[str, Any]
) -> None:
    ticket, page = case["ticket"], person.page
    person.sign_in(case["mediator"], arriving="Disputes")
    page.get_by_placeholder("Party, title or D-42").fill(f"D-{ticket}")
    page.keyboard.press("Enter")
    person.settle()
    expect(person.grid().locator("table")).to_contain_text(f"D-{ticket}")
    expect(page.get_by_text("1–1 of 1")).to_be_visible()
    person.click_row()
    person.arrive(f"D-{ticket}")

    # Everything about the case is there to be read.
    person.press("Open")
    person.reads("Handed in by")
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
        panel.get_by_test_id("stCheckbox").filter(has_text=reference).locator("label").first.click()
        person.settle()
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
    dialog.get_by_role("tab", name="Stripe calls").click()
    person.settle()
    expect(dialog).to_contain_text("/v1/transfers")
    expect(dialog).to_contain_text("/v1/refunds")
    dialog.get_by_role("tab", name="Letters").click()
    person.settle()
    expect(dialog).to_contain_text(REASONS[:40])
    assert demo.one("select count(*) from decisions where ticket_id = :t", t=ticket) == 0
    dialog.get_by_role("button", name="Confirm decision").dblclick()
    expect(page.get_by_text("Decided and booked.")).to_be_visible()
    person.settle()

    (decision,) = demo.rows("select * from decisions where ticket_id = :t", t=ticket)
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
