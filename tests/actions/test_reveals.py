"""Revealing who somebody is: with a reason, for a while, in one's own session; and an alarm of many."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.actions.privacy import reveals
from core.actions.staff import sessions
from core.db import Database
from core.errors import NotFound, ReasonMissing
from core.queries import masked, projects
from core.records import Notification, Party, Reading
from core.rules.masking import (
    AT_ONCE,
    MANY,
    REVEALED_FOR,
    NobodyToReveal,
    NoSessionToRevealIn,
    Personal,
    Sight,
    TooManyToReveal,
    masked_email,
    masked_name,
    masked_words,
)
from core.rules.permissions import Actor, NotPermitted
from tests import builders
from tests.builders import Town

REASON = "The payee asks on the telephone where their money is."


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def in_session(town: Town, subject: str) -> Actor:
    token = town.database.run(
        lambda session: sessions.sign_in(session, staff_id=town.staff[subject], now=town.now)
    )
    found = town.database.run(lambda session: sessions.resolve(session, token, now=town.now))
    assert found is not None
    return found.actor


def reveal(town: Town, actor: Actor, *party_ids: int, **other: Any) -> Any:
    given = {"party_ids": party_ids, "reason": REASON, "page": "payouts"}
    return town.act(reveals.reveal, actor, **{**given, **other})


def seen(town: Town, actor: Actor, *sees: Personal) -> dict[int, str]:
    """The names of the parties as this session reads them on a page that shows `sees`."""
    with town.database.reading() as session:
        masked.look(session, Sight(frozenset(sees), actor.id, actor.session_id), now=town.now)
        return {row.id: row.name for row in session.query(Party)}


def test_it_shows_this_party_in_this_session_for_a_while(town: Town) -> None:
    fay, masks = in_session(town, "fay"), {}
    for party_id, name in ((town.payer_id, "Ana Lindqvist"), (town.payee_id, "Ben Okafor")):
        masks[party_id] = masked_name(name, party_id)
    assert seen(town, fay) == masks
    until = reveal(town, fay, town.payer_id)
    assert until == town.now + REVEALED_FOR
    assert seen(town, fay) == masks | {town.payer_id: "Ana Lindqvist"}
    assert seen(town, in_session(town, "fay")) == masks
    assert seen(town, in_session(town, "cora")) == masks
    town.now = until - timedelta(microseconds=1)
    assert seen(town, fay)[town.payer_id] == "Ana Lindqvist"
    town.now = until
    assert seen(town, fay) == masks


def test_it_leaves_an_entry_with_the_reason_and_a_reading(town: Town) -> None:
    fay = in_session(town, "fay")
    reveal(town, fay, town.payee_id, town.payer_id)
    found = town.read(
        lambda s: s.execute(
            text("select * from audit_entries where action = 'staff:person:reveal' order by id")
        ).all()
    )
    assert [(each.object_kind, each.object_id, each.reason, each.actor_id) for each in found] == [
        ("party", str(party_id), REASON, fay.id) for party_id in (town.payer_id, town.payee_id)
    ]
    assert found[0].after["session"] == fay.session_id
    assert found[0].after["page"] == "payouts"
    read = town.read(lambda s: {(row.kind.value, row.object_id) for row in s.query(Reading)})
    assert read == {("REVEALED_NAME", town.payer_id), ("REVEALED_NAME", town.payee_id)}


@pytest.mark.parametrize("subject", ["mia", "max"])
def test_whoever_may_not_reveals_nobody(town: Town, subject: str) -> None:
    with pytest.raises(NotPermitted):
        reveal(town, in_session(town, subject), town.payer_id)


@pytest.mark.parametrize("reason", ["", "  ", "\u200b"])
def test_without_a_reason_nobody_is_revealed(town: Town, reason: str) -> None:
    fay = in_session(town, "fay")
    with pytest.raises(ReasonMissing):
        reveal(town, fay, town.payer_id, reason=reason)
    assert "Ana Lindqvist" not in seen(town, fay).values()


def test_without_a_session_or_anybody_nothing_is_revealed(town: Town) -> None:
    fay = in_session(town, "fay")
    with pytest.raises(NoSessionToRevealIn):
        reveal(town, replace(fay, session_id=None), town.payer_id)
    with pytest.raises(NobodyToReveal):
        reveal(town, fay)
    with pytest.raises(NotFound):
        reveal(town, fay, town.payer_id, 10**9)
    with pytest.raises(TooManyToReveal):
        reveal(town, fay, *range(1, AT_ONCE + 2))
    assert "Ana Lindqvist" not in seen(town, fay).values()


def test_many_within_an_hour_are_an_alarm_and_everybody_who_watches_is_told_once(town: Town) -> None:
    fay = in_session(town, "fay")
    people = [builders.a_party(town, "PAYER", f"Person {letter}") for letter in "ABCDEFGHIJKL"]
    reveal(town, fay, *people[:MANY])
    reveal(town, fay, people[0])
    assert alarms(town) == []
    town.wait(minutes=59)
    reveal(town, fay, people[MANY])
    reveal(town, fay, people[MANY + 1])
    assert alarms(town) == [(town.staff["fay"], MANY + 1)]
    told = town.read(
        lambda s: {row.staff_id for row in s.query(Notification).filter_by(template="many_revealed")}
    )
    assert told == {town.staff["ada"], town.staff["cora"]}
    town.wait(days=7)
    assert alarms(town) == []


def test_few_in_each_hour_are_none(town: Town) -> None:
    fay = in_session(town, "fay")
    people = [builders.a_party(town, "PAYER", f"Person {letter}") for letter in "ABCDEFGHIJKL"]
    reveal(town, fay, *people[:MANY])
    town.wait(hours=1)
    reveal(town, fay, *people[MANY:])
    assert alarms(town) == []


def alarms(town: Town) -> list[tuple[int, int]]:
    found = town.read(lambda s: masked.many_revealed(s, now=town.now))
    return [(each.staff_id, each.people) for each in found]


NAMES = [
    "Ana Lindqvist",
    "Þóra  Jónsdóttir",
    "O'Neil & Sons, Ltd.",
    "李小龙",
    "x",
    "erased",
    "",
    "tab\tand\nline",
    "Arden & Lowe Kitchens Ltd",
    "  (The) O’Neill & Sons",
    "& & co",
    "&",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_database_masks_as_the_rule_does(town: Town, name: str) -> None:
    said = town.read(
        lambda s: s.execute(
            text("select masked.name(:it, 17) as name, masked.email(:it) as email, masked.word(:it) as word"),
            {"it": name},
        ).one()
    )
    assert said == (masked_name(name, 17), masked_email(name), masked_words(name))


def test_each_view_has_the_columns_and_types_of_its_table(owner: Database) -> None:
    columns = text(
        """
        select c.relname, array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attname)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = cast(:schema as regnamespace) and c.relkind in ('r', 'v') group by c.relname
        """
    )
    with owner.reading() as session:
        views = dict(session.execute(columns, {"schema": "masked"}).all())  # type: ignore[arg-type]
        tables = dict(session.execute(columns, {"schema": "public"}).all())  # type: ignore[arg-type]
    assert len(views) >= 14
    assert views == {name: tables[name] for name in views}


def test_a_search_compares_what_is_stored_and_shows_the_mask(town: Town) -> None:
    builders.funded(town)
    fay = in_session(town, "fay")
    for words in ("lindqvist", f"#{town.payer_id}"):
        with town.database.reading() as session:
            masked.look(session, Sight(frozenset(), fay.id, fay.session_id), now=town.now)
            (row,) = projects.page(session, projects.ProjectFilter(words=words), offset=0, limit=9)
        assert row.payer == masked_name("Ana Lindqvist", town.payer_id)
    with town.database.reading() as session:
        masked.look(session, Sight(frozenset(), fay.id, fay.session_id), now=town.now)
        assert projects.page(session, projects.ProjectFilter(words="L•••"), offset=0, limit=9) == []


def test_nothing_of_it_stays_on_the_connection(town: Town) -> None:
    fay = in_session(town, "fay")
    seen(town, fay)
    assert "Ana Lindqvist" in town.read(lambda s: {row.name for row in s.query(Party)})
