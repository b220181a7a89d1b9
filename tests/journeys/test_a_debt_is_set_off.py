"""A debt is set off by hand against a payout that waits. It waits for a few days only, so this comes before the
journeys that move the demo's time on."""

from __future__ import annotations

from playwright.sync_api import expect

from core.money import Money
from tests.journeys.desk import Demo, Person

# A payee who owes something, and whose payout of the same currency has not been sent.
CAN_BE_SET_OFF = """
select distinct d.party_id from debts_due d join payouts y on y.party_id = d.party_id and y.currency = d.currency
where d.due > 0 and y.status = 'REQUESTED' and y.stripe_transfer is null
"""


def difference(owed: str, taken: str) -> str:
    return (Money.parse(owed, "USD") - Money.parse(taken, "USD")).text()


def test_the_head_of_finance_sets_a_debt_off_against_a_payout_that_waits(demo: Demo, person: Person) -> None:
    person.sign_in("Farah Siddiqui", arriving="Overview")
    person.go("Receivables")
    person.page.get_by_test_id("stCheckbox").filter(has_text="Can be set off now").locator(
        "label"
    ).first.click()
    person.settle()
    expect(person.grid().locator("table")).to_contain_text("Can be set off now")
    header, *rows = person.cells()
    (row,) = [dict(zip(header, each, strict=True)) for each in rows]
    person.page.goto(f"{demo.url}/receivables?set-off=true&payee={demo.one(CAN_BE_SET_OFF)}")
    person.arrive("Receivables")
    person.page.get_by_text("Set off now", exact=True).click()
    person.settle()
    person.reads(f"is settled and {difference(row['Owed'], row['Can be set off now'])} stays owed")
    person.picture("set-off")
    panel = person.page.locator("[class*='st-key-set-off-']").filter(has_text="Set off now").first
    person.write("Reason, for the audit log", "Agreed with them on the telephone.", inside=panel)
    person.press(f"Set off {row['Can be set off now']}")
    person.told(f"{row['Can be set off now']} is set off. The payee gets an e-mail.")
    assert demo.rows(CAN_BE_SET_OFF) == []
