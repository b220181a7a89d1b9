"""The morning of finance: from the overview to a break, its entry by two people, a run that does not see it, and the
first open day closed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from playwright.sync_api import expect

from tests.journeys.desk import PATIENCE, Demo, Person

DONATION = "select id from breaks where theirs = -1250 and side = 'STRIPE'"


def open_break(person: Person, number: int) -> None:
    """By the search, as from a colleague's message."""
    person.page.keyboard.press("Control+k")
    person.page.keyboard.type(f"B-{number}")
    person.page.keyboard.press("Enter")
    person.arrive(f"Break B-{number}")


def last_run(demo: Demo) -> dict[str, Any]:
    return demo.rows("select id, status, in_suspense from reconciliation_runs order by id desc limit 1")[0]


def close_the_first_open_day(demo: Demo, person: Person) -> None:
    """What is still open elsewhere is explained, and signed with the day."""
    first = demo.one("select (open_from at time zone 'utc')::date from ledger_lock")
    words = f"{first:%-d %b %Y}"
    person.go("Periods")
    person.page.get_by_text("A day", exact=True).click()
    person.reads(f"Close {words}")
    explanation = person.page.get_by_role("textbox", name=re.compile("Why it is closed all the same"))
    if explanation.count():
        person.write(re.compile("Why it is closed all the same"), "Known, and each has its owner.")
    person.press(f"Close {words}")
    person.told(f"{words} is closed, and its summary is signed.")
    closed = "select kind, status, first_day, last_day from periods order by id desc limit 1"
    assert demo.one(closed) == {"kind": "DAY", "status": "CLOSED", "first_day": first, "last_day": first}
    after = demo.one("select (open_from at time zone 'utc')::date from ledger_lock")
    assert after == first + timedelta(days=1)


def test_a_break_is_taken_explained_by_two_people_gone_from_the_next_run_and_the_day_closed(
    demo: Demo, person: Person, colleague: Person
) -> None:
    number, before = demo.one(DONATION), last_run(demo)
    person.sign_in("Colm Brennan", arriving="Overview")
    person.page.get_by_role("link", name=re.compile("Open breaks")).click()
    person.arrive("Reconciliation")
    open_break(person, number)
    person.pick("Owner", "Colm Brennan")
    person.write(
        "Reason, for the audit log", "I know of it.", inside=person.page.locator(".st-key-break-owner")
    )
    person.press("Assign")
    explain = person.page.locator(".st-key-break-explain")
    expect(explain.get_by_text("other_expense")).to_be_visible(timeout=PATIENCE)
    person.write("Reason, for the audit log", "A donation that was switched on by mistake.", inside=explain)
    person.press("Submit for approval")
    expect(person.page.get_by_text("so someone else must approve it")).to_be_visible(timeout=PATIENCE)

    colleague.sign_in("Ines Carvalho", arriving="Audit log")
    open_break(colleague, number)
    colleague.write("Reason, for the audit log", "Seen on Stripe's statement.")
    colleague.press("Approve and post")
    expect(colleague.page.get_by_text("approved its explanation")).to_be_visible(timeout=PATIENCE)

    person.press("Reconciliation")  # the way up from the break
    person.arrive("Reconciliation")
    person.press("Run now")
    person.arrive("Run RC-")
    after = last_run(demo)
    assert after["id"] > before["id"]
    assert after["in_suspense"] == before["in_suspense"] - 1
    told = demo.one(
        "select status, closed_as, owner_id is not null as owned from breaks where id = :id", id=number
    )
    assert told == {"status": "CLOSED", "closed_as": "EXPLAINED", "owned": True}
    close_the_first_open_day(demo, person)
