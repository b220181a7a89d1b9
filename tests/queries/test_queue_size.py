"""The queue with 10,000 open cases: every view, page and search stays below 50 ms of SQL."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from core.db import Database
from core.queries import disputes
from core.queries.disputes import Filter, View
from tests import stories

MANY = 10_000
LIMIT = 0.050

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
insert into tickets (milestone_id, opened_by, reason, details, status, escalated, mediator_id, version, opened_at,
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


@pytest.fixture
def many(database: Database, owner: Database) -> stories.Town:
    town = stories.a_town(database)
    with owner.engine.begin() as connection:
        for statement in LOAD.split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
    return town


def test_ten_thousand_open_cases_page_below_fifty_milliseconds(many: stories.Town) -> None:
    asked = {
        "all": Filter(me=1, now=many.now),
        **{view.value: Filter(me=1, now=many.now, view=view) for view in View},
        "platform": Filter(me=1, now=many.now, platform="home_services"),
        "words": Filter(me=1, now=many.now, words="Person 3"),
        "number": Filter(me=1, now=many.now, words="D-77"),
    }
    taken = {}
    with many.database.reading() as session:
        assert disputes.count(session, asked["all"]) == MANY
        for name, filter in asked.items():
            for offset in (0, 5_000):
                taken[f"{name} from {offset}"] = clocked(
                    lambda f=filter, o=offset: disputes.page(session, f, offset=o)
                )  # type: ignore[misc]
            taken[f"count {name}"] = clocked(lambda f=filter: disputes.count(session, f))  # type: ignore[misc]
        taken["figures"] = clocked(lambda: disputes.figures(session, me=1, now=many.now))
        plan = session.execute(
            text(
                "explain "
                + disputes.PAGE.format(
                    source=asked["all"].source,
                    order=asked["all"].order,
                    people=disputes.PEOPLE,
                    live=disputes.LIVE,
                )
            ),
            {**asked["all"].values, "limit": 50, "offset": 0},
        ).scalars()
        assert "tickets_open_due_idx" in "\n".join(plan)
    print({name: f"{1000 * seconds:.1f} ms" for name, seconds in taken.items()})
    assert {name: seconds for name, seconds in taken.items() if seconds >= LIMIT} == {}


def clocked(question: object) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        question()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return min(times)  # what it costs, not what else the machine was doing
