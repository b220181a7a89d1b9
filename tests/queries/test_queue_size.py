"""The queue with 10,000 open cases: no view, page or search reads more than a small part of what is stored.

A hundred blocks take about a tenth of a millisecond where they are in memory; the design allows 50 ms.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import Database
from core.embedded_postgres import Server
from core.queries import disputes
from core.queries.disputes import BOUND, CaseFilter, Place, View, Watch
from tests import builders
from tests.database import fresh_copy

MANY = 10_000
# Pages of 8 KiB that one question may touch. What searches the whole queue needs 2,000 to 7,000; what goes to other
# tables once for every case needs 70,000.
MOST_BLOCKS = 12_000

# A desk of this size is not lived: rows for reading are enough, and they are made by the database itself.
LOAD = f"""
insert into parties (platform, external_id, role, name, email, city, country, withdrawal_method,
                     auto_withdraw, created_at)
select case when n % 4 = 0 then 'legal_services' else 'home_services' end, 'load-' || n,
       case when n % 2 = 0 then 'PAYER' else 'PAYEE' end, 'Person ' || md5(n::text), n || '@example.com', '', 'US',
       'standard', true, now()
from generate_series(1, 2000) n;
insert into projects (platform, bid_reference, title, scope, project_type, size, fee_mode, payer_id, payee_id, currency,
                      total_minor, status, policy_version_id, created_at)
select 'home_services', 'load-' || n, 'Project ' || md5(n::text), '', 'KITCHEN', 'SMALL', 'STAGED',
       (select min(id) from parties where external_id = 'load-2') + (n % 900) * 2,
       (select min(id) from parties where external_id = 'load-1') + (n % 900) * 2, 'USD', 100000, 'ACTIVE',
       (select min(id) from policy_versions), now()
from generate_series(1, {MANY}) n;
insert into milestones (project_id, position, title, deliverable, amount_minor, currency, acceptance_rule, status,
                        version, reminder_level)
select id, 1, 'Milestone ' || md5(id::text), '', 100000, 'USD', 'AUTO_RELEASE', 'IN_MEDIATION', 1, 0
from projects where bid_reference like 'load-%';
insert into payment_orders (milestone_id, currency, state, amount_minor, platform_fee_minor, processing_fee_minor,
    charge_minor, funded_minor, held_minor, payable_minor, refundable_minor, released_minor, refunded_minor,
    fee_kept_minor, in_flight, chargeback_open, canceled, attempts, created_at)
select id, 'USD', 'PAID_HELD', 100000, 2500, 3000, 105500, 100000, 100000, 0, 0, 0, 0, 0, false, false, false, 1, now()
from milestones where title like 'Milestone %';
insert into cases (milestone_id, opened_by, reason, details, status, escalated, mediator_id, version, opened_at,
                     due_at)
select m.id, p.payer_id, 'OTHER', '', 'UNDER_REVIEW', m.id % 50 = 0,
       case when m.id % 3 > 0 then (select min(id) from staff) + m.id % 2 end, 1, now(),
       now() + m.id * interval '1 minute'
from milestones m join projects p on p.id = m.project_id where m.title like 'Milestone %';
insert into messages (milestone_id, author_kind, author_id, audience, body, at)
select m.id, 'party', 1, 'PARTIES', 'words', now() from milestones m, generate_series(1, 3)
where m.title like 'Milestone %';
analyze;
"""


@pytest.fixture(scope="module")
def many(server: Server, town_template: str) -> Iterator[builders.Town]:
    """One for all who only read it."""
    with fresh_copy(server, town_template) as urls:
        database, owner = Database(urls.app_url), Database(urls.owner_url)
        with owner.engine.begin() as connection:
            for statement in LOAD.split(";"):
                if statement.strip():
                    connection.exec_driver_sql(statement.replace("%", "%%"))
        yield builders.a_town(database)
        database.dispose()
        owner.dispose()


def asked(town: builders.Town) -> dict[str, CaseFilter]:
    def one(**what: object) -> CaseFilter:
        return CaseFilter(me=1, now=town.now, **what)  # type: ignore[arg-type]

    return {
        "all": one(),
        **{view.value: one(view=view) for view in View},
        **{f"watch {watch.value}": one(watch=watch) for watch in Watch},
        "platform": one(platform="home_services"),
        "words": one(words="Person 3"),
        "words of a title": one(words="ne a"),
        "words that nobody wrote": one(words="zzzz"),
        "number": one(words="D-77"),
        "digits": one(words="77"),
        "everything at once": one(view=View.MINE, platform="home_services", words="a", watch=Watch.UNREAD),
    }


def test_no_question_to_ten_thousand_open_cases_reads_much(many: builders.Town) -> None:
    """Each view, filter and search: its first page, one in the middle, the last, and back from there."""
    read = {}
    with many.database.reading() as session:
        assert disputes.count(session, CaseFilter(me=1, now=many.now)) == MANY
        for name, wanted in asked(many).items():
            for which, place in places(session, wanted).items():
                read[f"{name}, {which}"] = blocks(session, wanted, **place)
        assert "cases_open_due_idx" in plan(session, asked(many)["all"])
    print(read)
    assert {name: count for name, count in read.items() if count > MOST_BLOCKS} == {}


def places(session: Session, wanted: CaseFilter) -> dict[str, dict[str, Place]]:
    rows = disputes.page(session, wanted, limit=BOUND)
    if not rows:
        return {"first": {}}
    return {
        "first": {},
        "middle": {"after": rows[len(rows) // 2].place},
        "last": {"after": rows[-min(50, len(rows))].place},
        "back": {"before": rows[-1].place},
    }


def test_a_page_deep_in_the_queue_is_found_by_an_index_and_reads_no_more_than_the_first(
    many: builders.Town,
) -> None:
    wanted = CaseFilter(me=1, now=many.now)
    with many.database.reading() as session:
        rows = disputes.page(session, wanted, limit=9_000)
        deep = plan(session, wanted, after=rows[-1].place)
        assert "cases_open_due_idx" in deep
        assert "Index Cond: (ROW(due_at, id) > ROW(" in deep
        assert [row.id for row in disputes.page(session, wanted, after=rows[-51].place)] == [
            row.id for row in rows[-50:]
        ]
        assert [row.id for row in disputes.page(session, wanted, before=rows[-1].place)] == [
            row.id for row in rows[-51:-1]
        ]


def plan(session: Session, wanted: CaseFilter, **place: Place) -> str:
    query, values = disputes.statement(wanted, **place)
    return "\n".join(session.execute(text(f"explain {query}"), values).scalars())


def blocks(session: Session, wanted: CaseFilter, **place: Place) -> int:
    query, values = disputes.statement(wanted, **place)
    asked = text(f"explain (analyze, buffers, format json) {query}")
    (found,) = session.execute(asked, values).scalar_one()
    return int(found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"])
