"""Whoever leaves hands over what is open, each case to somebody or back to the queue, all of it or nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.actions.cases.mediator_assignment import NotAMediator
from core.actions.staff import install, members, sessions, ties
from core.actions.staff.sessions import Origin
from core.db import Database
from core.errors import ChangedMeanwhile
from core.queries import people, team
from core.records import Case, Notification, Staff, StaffRole
from core.rules import browsers, mediation
from core.rules.permissions import SYSTEM, NotPermitted, Role
from tests import builders
from tests.builders import Town, second_administrator


@pytest.fixture
def town(database: Database) -> Town:
    town = builders.a_town(database)
    second_administrator(town)
    return town


def leave(town: Town, to: dict[int, int | None] | None, by: str = "ada", who: str = "mia") -> Staff:
    return town.act(
        members.set_active,
        town.as_staff(by),
        staff_id=town.staff[who],
        active=False,
        reason="A new post.",
        hand_over=to,
    )


def mediator_of(town: Town, case: int) -> int | None:
    return town.read(lambda s: s.get_one(Case, case).mediator_id)


def test_each_open_case_goes_to_whom_it_is_given(town: Town) -> None:
    first, second = builders.in_mediation(town), builders.in_mediation(town)
    mia, max_ = town.staff["mia"], town.staff["max"]
    both = town.read(lambda s: members.open_cases(s, mia))
    assert set(both) <= {first.case, second.case}
    token = town.database.run(lambda s: sessions.sign_in(s, staff_id=mia, now=town.now))
    to: dict[int, int | None] = dict.fromkeys(both)
    to[both[0]] = max_
    leave(town, to)
    assert {each: mediator_of(town, each) for each in both} == to
    assert town.read(lambda s: sessions.resolve(s, token, now=town.now, touch=False)) is None
    assert not town.read(lambda s: list(s.scalars(select(StaffRole).where(StaffRole.staff_id == mia))))
    told = town.read(lambda s: {(each.template, each.staff_id) for each in s.scalars(select(Notification))})
    assert ("case_assigned", max_) in told
    assert ("case_taken", mia) not in told
    steps = town.read(lambda s: team.history(s, mia))
    assert (steps[0].title, steps[0].by, steps[0].reason) == ("Left the staff", "Ada Berg", "A new post.")


def test_all_of_it_or_nothing(town: Town) -> None:
    told = builders.in_mediation(town)
    mia, max_, fay = (town.staff[each] for each in ("mia", "max", "fay"))
    (case,) = town.read(lambda s: members.open_cases(s, mia)) or [told.case]
    with pytest.raises(ChangedMeanwhile, match="other ones now"):
        leave(town, {})
    with pytest.raises(NotAMediator):
        leave(town, {case: fay})
    town.act(
        ties.declare_tie,
        town.as_staff("max"),
        staff_id=max_,
        party_id=town.payer_id,
        reason="A cousin.",
    )
    with pytest.raises(mediation.ColleagueTied):
        leave(town, {case: max_})
    with pytest.raises(NotPermitted):
        leave(town, {case: None}, by="cora")
    assert town.read(lambda s: s.get_one(Staff, mia)).active
    assert mediator_of(town, case) == mia
    assert [each.id for each in town.read(lambda s: team.cases_of(s, mia))] == [case]
    assert town.read(lambda s: team.cases_of(s, mia))[0].colleagues == ()


def test_a_session_says_from_where_and_in_which_browser(town: Town) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
    origin = Origin("203.0.113.7", browsers.words(agent))
    mia = town.staff["mia"]
    town.database.run(lambda s: sessions.sign_in(s, staff_id=mia, now=town.now, origin=origin))
    (visit,) = town.read(lambda s: people.visits(s, mia, now=town.now))
    assert visit.place == "Firefox on Windows, 203.0.113.7"
    assert town.read(lambda s: people.person(s, mia, now=town.now)).signed_in_at == town.now


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/17.4 Safari/605.1",
            "Safari on macOS",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "Chrome on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge on Windows",
        ),
        ("<script>", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_in_a_few_words(agent: str, said: str) -> None:
    assert browsers.words(agent) == said


def test_who_joins_without_a_role_is_shown(town: Town) -> None:
    who = {"issuer": "i", "subject": "s", "name": "N", "email": "n@example.com", "roles": ()}
    row = town.act(install.add_staff, SYSTEM, **who)
    assert town.read(lambda s: people.person(s, row.id, now=town.now)).roles == ()
    assert Role.MEDIATOR not in row.skills
