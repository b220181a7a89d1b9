"""The team as administrators see to it: a role takes two, and whoever leaves hands over what is open."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.desk import PATIENCE, Demo, Person

HELD = (
    "select coalesce(string_agg(role, ' ' order by role), '') as roles from staff_roles where staff_id = :id"
)


def test_a_role_is_given_by_two_administrators(demo: Demo, person: Person, colleague: Person) -> None:
    noah = demo.one("select id from staff where name = 'Noah Whitfield'")
    before = demo.one(HELD, id=noah)
    person.sign_in("Grace Okonjo", arriving="Cases")
    person.page.goto(f"{demo.url}/people?id={noah}")
    person.arrive("People")
    person.press("Give roles")
    drawer = person.dialog()
    person.pick("Roles", "Finance", inside=drawer)
    person.page.keyboard.press("Escape")  # the list, not the drawer
    person.write("Why", "He stands in for Colm.", inside=drawer)
    person.press("Submit for approval", inside=drawer)
    person.told("Submitted. The roles are given when another administrator approves.")
    expect(person.page.get_by_text("someone else must approve them")).to_be_visible(timeout=PATIENCE)
    assert demo.one(HELD, id=noah) == before

    colleague.sign_in("Peter Novak", arriving="Cases")
    colleague.go("People")
    expect(colleague.page.get_by_text("He stands in for Colm.")).to_be_visible(timeout=PATIENCE)
    colleague.press("Approve roles")
    colleague.told("Noah Whitfield has these roles now, also where they are signed in.")
    assert demo.one(HELD, id=noah) == "compliance finance"

    person.page.goto(f"{demo.url}/people?id={noah}")
    person.arrive("People")
    person.press("Take roles")
    person.pick("Roles", "Finance", inside=person.dialog())
    person.page.keyboard.press("Escape")
    person.write("Why", "Colm is back.", inside=person.dialog())
    person.press("Take roles", inside=person.dialog())
    person.told("Noah Whitfield does not have these roles any more.")
    assert demo.one(HELD, id=noah) == before


BEGUN = (
    "select object_id from audit_entries where action = 'staff:session:begin' and actor_id = :id "
    "order by id desc limit 1"
)


def test_a_session_that_an_administrator_revokes_ends_at_its_next_step(
    demo: Demo, person: Person, colleague: Person
) -> None:
    noah = demo.one("select id from staff where name = 'Noah Whitfield'")
    colleague.sign_in("Noah Whitfield", arriving="Audit")
    session = demo.one(BEGUN, id=noah)
    person.sign_in("Grace Okonjo", arriving="Cases")
    person.page.goto(f"{demo.url}/people?id={noah}")
    person.arrive("People")
    person.page.locator(f".st-key-revoke-{session} button").click()
    person.settle()
    drawer = person.dialog()
    person.write("Reason", "His laptop was stolen.", inside=drawer)
    person.press("Revoke session", inside=drawer)
    person.told(f"Session {session} is revoked.")
    expect(person.page.locator(f".st-key-revoke-{session}")).to_have_count(0, timeout=PATIENCE)

    colleague.page.get_by_test_id("stSidebar").get_by_role("link", name="Holds", exact=True).click()
    heading = colleague.page.get_by_role("heading", name="You are signed out")
    expect(heading).to_be_visible(timeout=PATIENCE)
    expect(colleague.page.get_by_text("An administrator ended this session.")).to_be_visible(timeout=PATIENCE)
    expect(colleague.page.get_by_role("heading", name="Holds")).to_have_count(0)
    colleague.page.get_by_role("link", name="Sign in", exact=True).click()
    expect(colleague.page.get_by_role("button", name="Noah Whitfield")).to_be_visible(timeout=PATIENCE)


def test_whoever_leaves_hands_over_every_open_case(demo: Demo, person: Person) -> None:
    leaver = demo.one(
        "select s.id, s.name, count(*) as cases from cases c join staff s on s.id = c.mediator_id "
        "where c.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY') group by 1, 2 order by 3, 1 limit 1"
    )
    person.sign_in("Grace Okonjo", arriving="Cases")
    person.page.goto(f"{demo.url}/people?id={leaver['id']}")
    person.arrive("People")
    expect(person.page.get_by_text("Open cases", exact=True).first).to_be_visible(timeout=PATIENCE)
    person.press("Deactivate")
    drawer = person.dialog()
    expect(drawer.get_by_text("goes to").first).to_be_visible(timeout=PATIENCE)
    person.write("Why", "A new post.", inside=drawer)
    person.press("Deactivate", inside=drawer)
    person.told(f"{leaver['name']} does not work here any more.")
    still = "select count(*) from cases where mediator_id = :id and status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')"
    assert demo.one(still, id=leaver["id"]) == 0
    assert demo.one(HELD, id=leaver["id"]) == ""
    person.press("Reactivate")
    person.write("Why", "Back for good.", inside=person.dialog())
    person.press("Reactivate", inside=person.dialog())
    person.told(f"{leaver['name']} works here again, without a role.")
