"""Words while they are typed: each person's own, kept by place, and never overwritten from another tab unasked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.cases import unsent_text
from core.actions.cases.unsent_text import ChangedInAnotherTab, Words
from core.actions.decisions import drafts
from core.db import Database
from core.rules import text_fields
from core.rules.permissions import NotPermitted
from tests import builders
from tests.builders import Town

PLACE = "case.1.message"


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def keep(town: Town, body: str, *, base: int = 0, tab: str = "one", who: str = "mia", **also: Any) -> Words:
    given = {"place": PLACE, "body": body, "base": base, "tab": tab, **also}
    kept: Words = town.act(unsent_text.save, town.as_staff(who), **given)
    return kept


def there(town: Town, who: str = "mia", place: str = PLACE) -> Words:
    return town.read(lambda s: unsent_text.find(s, town.as_staff(who), place=place))


def test_words_are_their_writers_alone(town: Town) -> None:
    keep(town, "I think")
    assert there(town) == Words("I think", 1, town.now)
    assert there(town, "max") == Words()


def test_one_tab_goes_on_from_what_it_saved(town: Town) -> None:
    first = keep(town, "I", typed=True)
    assert keep(town, "I think", base=first.version, typed=True).version == 2
    assert (
        keep(town, "I think so", base=0, typed=True).version == 3
    )  # an answer on its way back is no other tab


def test_another_tab_overwrites_nothing_unless_it_says_that_it_knows(town: Town) -> None:
    keep(town, "Mine", typed=True)
    with pytest.raises(ChangedInAnotherTab):
        keep(town, "Yours", tab="two", typed=True)
    assert there(town).body == "Mine"
    assert keep(town, "Yours", tab="two", base=1, typed=True).body == "Yours"


def test_the_same_words_from_two_tabs_are_no_quarrel(town: Town) -> None:
    keep(town, "Both")
    assert keep(town, "Both", tab="two").body == "Both"


def test_a_page_that_runs_late_does_not_undo_what_its_browser_saved(town: Town) -> None:
    keep(town, "Old")
    keep(town, "Old and new", base=1, typed=True)
    with pytest.raises(ChangedInAnotherTab):
        keep(town, "Old", base=1)
    assert there(town).body == "Old and new"


def test_words_that_were_sent_do_not_come_back_with_a_late_save(town: Town) -> None:
    keep(town, "Send this", typed=True)
    town.act(unsent_text.sent, town.as_staff("mia"), wanted=[PLACE])
    with pytest.raises(ChangedInAnotherTab):
        keep(town, "Send this", base=1, typed=True)
    assert (there(town).body, there(town).sent) == ("", True)
    assert not keep(town, "Next", base=2, typed=True).sent


def test_a_button_replaces_whatever_is_there(town: Town) -> None:
    keep(town, "Mine", tab="two", typed=True)
    town.act(unsent_text.put, town.as_staff("mia"), place=PLACE, body="The generated text")
    assert there(town).body == "The generated text"


@pytest.mark.parametrize(
    "place",
    ["", "case", "case.1", "case.x.message", "town.1.note", "case.1.Message", "case.-1.m", "case.1.m" * 40],
)
def test_only_known_places_take_words(town: Town, place: str) -> None:
    with pytest.raises(text_fields.PlaceUnknown):
        keep(town, "Anything", place=place)


@pytest.mark.parametrize(
    ("place", "may", "may_not"), [("review.1.note", "cora", "mia"), ("payout.1.retry", "fay", "max")]
)
def test_a_place_takes_words_of_those_who_work_there(town: Town, place: str, may: str, may_not: str) -> None:
    assert keep(town, "Seen.", place=place, who=may).version == 1
    with pytest.raises(NotPermitted):
        keep(town, "Seen.", place=place, who=may_not)


def test_what_no_database_takes_is_left_out_and_what_is_too_long_is_refused(town: Town) -> None:
    assert keep(town, "a\0b\ud800c").body == "ab?c"
    with pytest.raises(text_fields.WordsTooLong):
        keep(town, "x" * (text_fields.LONGEST + 1))


def test_nobody_fills_the_desk_with_words(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_fields, "MOST", 2)
    for number in (1, 2):
        keep(town, "Here.", place=f"case.{number}.message")
    with pytest.raises(text_fields.TooManyPlaces):
        keep(town, "Here.", place="case.3.message")
    assert keep(town, "There.", place="case.1.message", base=1).body == "There."


def test_each_person_has_a_key_of_their_own_that_stays(town: Town) -> None:
    def key(who: str) -> bytes:
        made: bytes = town.act(unsent_text.tab_key, town.as_staff(who))
        return made

    assert len(key("mia")) == 32
    assert key("mia") == key("mia")
    assert key("mia") != key("max")


@pytest.mark.parametrize(
    "wrong",
    [
        "update unsent_texts set version = 0",
        "update unsent_texts set sent = true",
        "update tab_keys set key = 'short'",
    ],
)
def test_the_database_keeps_the_law(town: Town, owner: Database, wrong: str) -> None:
    keep(town, "Words")
    town.act(unsent_text.tab_key, town.as_staff("mia"))
    with pytest.raises(IntegrityError), owner.transaction() as session:
        session.execute(text(wrong))


# What is chosen for a decision


def test_what_was_chosen_in_another_tab_is_not_overwritten(town: Town) -> None:
    told = builders.in_mediation(town)
    mia, case = town.as_staff("mia"), {"case_id": told.case}
    first = town.act(drafts.save, mia, content={"share": "60"}, base=0, tab="one", **case)
    assert town.act(drafts.save, mia, content={"share": "61"}, base=first, tab="one", **case) == 2
    town.wait(minutes=1)
    with pytest.raises(ChangedInAnotherTab) as told_so:
        town.act(drafts.save, mia, content={"share": "40"}, base=first, tab="two", **case)
    assert told_so.value.facts["at"] == town.now - timedelta(minutes=1)
    town.act(drafts.save, mia, content={"share": "40"}, tab="two", **case)
    assert town.read(lambda s: drafts.read(s, mia, **case)).content == {"share": "40"}


def test_a_draft_is_what_was_chosen_and_what_was_written(town: Town) -> None:
    told = builders.in_mediation(town)
    mia = town.as_staff("mia")
    town.act(drafts.save, mia, case_id=told.case, content={"share": "60", "reasons": "As agreed."})
    assert there(town, place=drafts.place(told.case, "reasons")).body == "As agreed."
    found = town.read(lambda s: drafts.read(s, mia, case_id=told.case))
    assert found.content == {"share": "60", "reasons": "As agreed."}
    town.act(drafts.clear, mia, case_id=told.case)
    assert town.read(lambda s: drafts.find(s, mia, case_id=told.case)) is None
    assert there(town, place=drafts.place(told.case, "reasons")).sent
