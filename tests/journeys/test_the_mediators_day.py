"""A mediator's day: one case from the queue to the audit log, with the parties answering from outside.

The marketplace is a program that comes in by the API over HTTP; each test goes on where the one before ended. With
ESCROW_DESK_PICTURES set, the stations of the day are kept as pictures (`make screenshots`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.money import Money
from tests.journeys.desk import ROOT, Demo, Person, until
from tests.journeys.marketplace import Dispute, Marketplace

MEDIATOR, CHECKER, COMPLIANCE, OTHER = "Aiko Tanabe", "Grace Okonjo", "Ines Carvalho", "Maya Lindqvist"
PAYER, PAYEE = "Wanda Ellery", "Larkspur Gardens"
AMOUNT = 640_000  # above the threshold from which a second person looks
REASONS = "The path is laid but does not drain; the lawn died in two places, and the beds were never planted."
QUESTION = "When were the plants ordered, and when do they come?"
CORRECTION = """
select t.id, s.name as mediator from cases t left join staff s on s.id = t.mediator_id where t.corrects_id = :t
"""


@pytest.fixture(scope="module")
def case(market: Marketplace) -> Dispute:
    return market.in_mediation(
        "Garden behind the mill",
        AMOUNT,
        photos=4,
        payer=PAYER,
        payee=PAYEE,
        scope="A gravel path, a lawn and two beds, laid, sown and planted by the end of the month.",
        deliverable="Gravel path edged and even; lawn sown and grown in; two beds planted",
    )


def test_the_case_is_found_with_the_keyboard_and_claimed(demo: Demo, person: Person, case: Dispute) -> None:
    page = person.page
    person.sign_in(MEDIATOR, arriving="Cases")
    expect(person.queue()).to_be_visible()
    person.picture("day-01-queue")
    page.keyboard.press("?")
    expect(person.dialog()).to_contain_text("Claim the next available case")
    page.keyboard.press("Escape")
    expect(person.dialog()).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type(f"D-{case.number}")
    page.keyboard.press("Enter")
    expect(person.queue().get_by_role("row")).to_have_count(2)  # the head, and the case
    expect(person.queue()).to_contain_text(PAYER)
    expect(page).to_have_url(re.compile(f"q=D-{case.number}"))
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("Enter")
    person.arrive(f"D-{case.number}")
    person.press("Claim")
    person.press("Take it over", inside=person.dialog())  # it was given to a colleague, who is told
    person.told(f"Case D-{case.number} is yours.")
    assert (
        demo.one(
            "select s.name from cases t join staff s on s.id = t.mediator_id where t.id = :t", t=case.number
        )
        == MEDIATOR
    )
    person.picture("day-02-case")


def test_everything_is_read_before_anything_is_decided(demo: Demo, person: Person, case: Dispute) -> None:
    page = person.page
    person.sign_in(MEDIATOR, arriving="Cases")
    person.open_case(case.number)
    person.tab("Timeline")
    timeline = page.get_by_role("tabpanel", name="Timeline").first
    for words in ("Bid accepted", "died in two places", "back order"):
        expect(timeline).to_contain_text(words)
    person.picture("day-03-timeline")

    person.tab("Evidence")
    expect(page.get_by_text(re.compile(r"^All 6$"))).to_be_visible()
    person.press("Open")
    expect(page.get_by_text(re.compile("Submitted by")).first).to_be_visible()
    person.picture("day-04-evidence")
    person.press("Compare")
    expect(page.get_by_text("Submitted by")).to_have_count(2)
    person.picture("day-05-compare")
    person.write("Note", "The same corner in both: water stands where it should run off.")
    person.press("Add note")
    person.told("Noted, for staff only.")
    expect(
        page.get_by_text("The same corner in both: water stands where it should run off.").first
    ).to_be_visible()
    for name, words in {
        "work-log.txt": "Beds: plants ordered, not delivered.",
        "inspection.pdf": "1 page",
    }.items():
        card = page.locator("[class*='-card-']").filter(has=page.get_by_text(name, exact=True))
        card.get_by_role("button", name="Open").first.click()
        person.settle()
        expect(page.get_by_text(words).first).to_be_visible()
    seen = """select count(distinct v.evidence_id) from evidence_views v
              join evidence e on e.id = v.evidence_id where e.milestone_id = :m"""
    assert demo.one(seen, m=case.milestone) == 4
    assert person.foreign == set()


def test_what_a_high_value_opened_is_settled_by_compliance(demo: Demo, person: Person, case: Dispute) -> None:
    """Above the threshold a review of risk is opened by itself, and nothing is released before someone looked."""
    waits = "select id from risk_reviews where milestone_id = :m and settled_at is null"
    found = demo.rows(waits, m=case.milestone)
    assert found, "a high value opens a review"
    person.sign_in(COMPLIANCE, arriving="Audit log")
    person.open_case(case.number)
    person.reads("Nothing can be released now")
    person.go("Holds")
    person.page.locator(f".st-key-open-settle-review-{found[0]['id']} button").click()
    person.settle()
    person.write("What was found", "Both are known to us; the amount fits the work.", inside=person.dialog())
    person.press("Settle review", inside=person.dialog())
    person.told("The review is settled.")
    assert demo.rows(waits, m=case.milestone) == []


def test_a_party_is_asked_and_its_answer_brings_the_case_back(
    demo: Demo, person: Person, market: Marketplace, case: Dispute
) -> None:
    person.sign_in(MEDIATOR, arriving="Cases")
    person.open_case(case.number)
    person.tab("Messages")
    person.write("Message", "I have your case and read everything today.")
    person.press("Send")
    person.told("Sent.")
    person.press("Ask a party")
    drawer = person.dialog()
    drawer.get_by_role("radio", name=re.compile(PAYEE)).click()
    person.settle()
    person.write("What do you need to know, or to see?", QUESTION, inside=drawer)
    person.choose("2 days", inside=drawer)
    person.picture("day-06-ask")
    person.press("Send question", inside=drawer)
    person.told("Question recorded.")
    status = "select status from cases where id = :t"
    assert demo.one(status, t=case.number) == "WAITING_PARTY"
    person.reads("Waiting for")
    person.reads(QUESTION)

    market.answer(case, case.payee, "Ordered on the 3rd; the nursery says the 28th.")
    assert demo.one(status, t=case.number) == "UNDER_REVIEW"
    person.page.reload()
    person.arrive(f"D-{case.number}")
    person.tab("Messages")
    person.reads("the nursery says the 28th")
    letter = "select count(*) from notifications where milestone_id = :m and status = 'SENT'"
    until(lambda: demo.one(letter, m=case.milestone) >= 1)


def test_a_draft_survives_a_reload_and_says_what_each_side_would_have(
    demo: Demo, person: Person, case: Dispute
) -> None:
    page = person.page
    person.sign_in(MEDIATOR, arriving="Cases")
    person.open_case(case.number)
    panel = person.panel()
    person.choose("Partial release", inside=panel)
    person.write(re.compile("^Release to"), "4100", inside=panel)
    expect(panel).to_contain_text("$4,100.00")
    expect(panel).to_contain_text("$2,300.00")
    person.choose("Items of work", inside=panel)
    expect(panel).to_contain_text("The items sum to $6,400.00")
    person.choose("Done", inside=panel)
    expect(panel.get_by_text(re.compile(r"earned$")).first).to_be_visible()
    person.choose("%", inside=panel)
    person.write(re.compile("^Release to"), "62.5", inside=panel)
    expect(panel).to_contain_text("$4,000.00")
    person.pick("Ground", "Partial work", inside=panel)
    person.write("Reasons", REASONS, inside=panel)
    expect(panel).to_contain_text("A second person must approve")

    page.reload()
    person.arrive(f"D-{case.number}")
    expect(panel.get_by_role("textbox", name="Reasons")).to_have_value(REASONS)
    expect(panel.get_by_role("textbox", name=re.compile("^Release to"))).to_have_value("62.5")
    expect(panel).to_contain_text("$4,000.00")
    expect(panel).to_contain_text("Not opened by you")
    person.picture("day-07-draft")


def test_the_plan_is_previewed_and_confirmed_once(demo: Demo, person: Person, case: Dispute) -> None:
    person.sign_in(MEDIATOR, arriving="Cases")
    person.open_case(case.number)
    panel = person.panel()
    for reference in ("Engagement scope", "Message history", "Milestone evidence"):
        person.tick(reference, inside=panel)
    person.press("Preview plan")
    dialog = person.dialog()
    expect(dialog).to_contain_text(f"held:{case.milestone}")
    seen = re.search(r"\b[0-9a-f]{64}\b", dialog.inner_text())
    assert seen
    person.picture("day-08-plan")
    dialog.get_by_role("tab", name="E-mails").click()
    person.settle()
    expect(dialog).to_contain_text(REASONS[:40])
    person.picture("day-09-letters")
    dialog.get_by_role("button", name="Confirm decision").dblclick()
    person.told("Decided. A second person must approve the plan before money moves.")
    (row,) = demo.rows(
        "select status, plan_hash, release_minor from decisions where case_id = :t", t=case.number
    )
    assert (row["status"], row["plan_hash"], row["release_minor"]) == (
        "AWAITING_APPROVAL",
        seen.group(),
        400_000,
    )
    expect(panel).to_contain_text("You made this decision, so someone else must approve it.")


def test_a_second_person_sends_it_back_with_a_note_and_the_draft_is_there_again(
    demo: Demo, person: Person, colleague: Person, case: Dispute
) -> None:
    colleague.sign_in(CHECKER, arriving="Cases")
    colleague.go("Approvals")
    colleague.picture("day-10-approvals")
    colleague.open_case(case.number)
    colleague.press("Review plan")
    colleague.press("Return to mediator", inside=colleague.dialog())
    expect(colleague.dialog()).to_contain_text("Give a reason")
    colleague.write("Note", "Cite the work log: it says the plants were ordered.", inside=colleague.dialog())
    colleague.press("Return to mediator", inside=colleague.dialog())
    colleague.told(f"Returned to {MEDIATOR}.")

    person.sign_in(MEDIATOR, arriving="Cases")
    person.open_case(case.number)
    expect(person.panel()).to_contain_text("Cite the work log")
    expect(person.panel().get_by_role("textbox", name="Reasons")).to_have_value(REASONS)
    person.pick("Evidence cited", re.compile("work-log"), inside=person.panel())
    expect(person.panel()).to_contain_text("work-log.txt")
    person.page.keyboard.press("Escape")
    person.press("Preview plan")
    person.dialog().get_by_role("button", name="Confirm decision").dblclick()
    person.told("Decided. A second person must approve")
    assert demo.one("select count(*) from decisions where case_id = :t", t=case.number) == 2


def test_a_second_person_approves_and_the_money_is_followed_live(
    demo: Demo, colleague: Person, case: Dispute
) -> None:
    colleague.sign_in(CHECKER, arriving="Cases")
    colleague.open_case(case.number)
    colleague.press("Review plan")
    colleague.picture("day-11-approve")
    colleague.dialog().get_by_role("button", name="Approve", exact=False).last.dblclick()
    colleague.told("Approved and posted. Sending to Stripe.")
    panel = colleague.panel()
    expect(panel).to_contain_text("Carried out")
    expect(panel).to_contain_text("Refund to the payer")
    expect(panel.get_by_text("Succeeded").first).to_be_visible()
    order = "select held_minor, released_minor, refunded_minor > 0 as back from payment_orders where milestone_id = :m"
    until(
        lambda: (
            demo.one(order, m=case.milestone) == {"held_minor": 0, "released_minor": 400_000, "back": True}
        )
    )
    colleague.page.reload()
    colleague.arrive(f"D-{case.number}")
    colleague.picture("day-12-carried-out")
    for key in [
        row["key"]
        for row in demo.rows(
            "select key from outgoing_operations where key like :k", k=f"decision.{case.number}.%"
        )
    ]:
        assert len(demo.calls(key)) <= 1, "each call was made once"


def test_the_case_file_is_taken_out_and_proved_by_whoever_has_it(
    demo: Demo, person: Person, case: Dispute, tmp_path: Path
) -> None:
    person.sign_in(MEDIATOR, arriving="Cases")
    person.open_case(case.number)
    person.press("Case file")
    person.press("Generate case file", inside=person.dialog())
    offered = person.dialog().get_by_role("link", name=re.compile("Download case-D-"))
    expect(offered).to_be_visible()
    person.picture("day-13-case-file")
    with person.page.expect_download() as download:
        offered.click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    bare = {"PATH": os.defpath, "ESCROW_DESK_HOME": str(tmp_path / "nowhere")}  # neither database nor desk
    command = [sys.executable, "-m", "core.cli", "case", "verify", str(path)]
    ran = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "✗" not in ran.stdout
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"PK\x01\x03", 1))
    assert subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, check=False).returncode in (1, 2)


def test_a_correction_is_a_case_of_its_own_in_other_hands(
    demo: Demo, person: Person, colleague: Person, case: Dispute
) -> None:
    person.sign_in(OTHER, arriving="Cases")
    person.open_case(case.number)
    person.press("Open a correction")
    person.write(
        re.compile("^What must be looked at again"),
        "The beds were planted after all.",
        inside=person.dialog(),
    )
    person.press("Open correction", inside=person.dialog())
    until(lambda: demo.rows("select id from cases where corrects_id = :t", t=case.number))
    made = demo.one(CORRECTION, t=case.number)
    person.arrive(f"D-{made['id']}")
    expect(person.panel()).to_contain_text(f"of the decision in D-{case.number}")
    assert made["mediator"] not in (MEDIATOR, CHECKER), "whoever decided does not judge it again"

    colleague.sign_in(made["mediator"], arriving="Cases")
    colleague.open_case(made["id"])
    colleague.choose("The decision stands", inside=colleague.panel())
    notes = "The beds were planted a week after the decision; nothing has to go back."
    colleague.write(re.compile("^Why, and what was done"), notes, inside=colleague.panel())
    colleague.press("Close correction", inside=colleague.panel())
    colleague.told("The correction is closed.")
    colleague.open_case(case.number)
    expect(colleague.panel()).to_contain_text(f"Corrected by D-{made['id']}")
    assert (
        demo.one("select count(*) from decisions where case_id = :t and status = 'EXECUTED'", t=case.number)
        == 1
    )


def test_the_whole_day_is_in_the_audit_log(demo: Demo, person: Person, case: Dispute) -> None:
    page = person.page
    person.sign_in(COMPLIANCE, arriving="Audit log")
    page.get_by_role("button", name="More").click()
    page.get_by_label("Case", exact=True).fill(f"D-{case.number}")
    page.keyboard.press("Enter")
    person.settle()
    page.keyboard.press("Escape")
    person.settle()
    table = person.grid().locator("table")
    expect(table).to_contain_text("mediator:decision:confirm")
    person.picture("day-14-audit")
    done = {
        row["action"]
        for row in demo.rows("select action from audit_entries where ticket_id = :t", t=case.number)
    }
    assert {
        "mediator:decision:confirm",
        "staff:decision:return",
        "staff:decision:approve",
        "staff:case:export",
    } <= done
    assert Money(AMOUNT, "USD").text() == "$6,400.00"
