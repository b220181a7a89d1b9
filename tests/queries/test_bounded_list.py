"""A bound on what is shown is never shown as a count."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from core.db import Database
from core.queries import letters, risk
from dashboard.compliance import risk_queue
from tests import builders, unrecorded
from tests.pages.visiting import serve, visit, words

MORE = 205
MILESTONES = text(
    """
    insert into milestones
    select (jsonb_populate_record(m, jsonb_build_object('id', 100000 + n, 'position', 100 + n,
                                                        'external_id', 'more-' || n))).*
    from milestones m, generate_series(1, :more) n where m.id = :like
    """
)
REVIEWS = text(
    "insert into risk_reviews (milestone_id, reasons, reports, opened_at)"
    " select id, '[]', '[]', :now from milestones where project_id = :project"
)
REPORTS = text(
    "insert into reports (project_id, kind, source, severity, details, author_kind, at)"
    " select :project, 'OTHER', 'PERSON', 'LOW', 'Report ' || n, 'system', :now from generate_series(1, :more) n"
)


def test_more_letters_than_are_shown_are_counted(database: Database) -> None:
    town = builders.a_town(database)
    told = builders.funded(town)
    every = town.read(lambda session: letters.about(session, "project", told.project, limit=None))
    some = town.read(lambda session: letters.about(session, "project", told.project, limit=1))
    assert (len(some), some.total) == (1, len(every))


def test_more_reviews_of_risk_and_reports_than_are_shown_are_counted(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    town = builders.a_town(database)
    serve(town, tmp_path)
    told = builders.funded(town)
    with owner.transaction() as session:
        session.execute(MILESTONES, {"like": told.milestone, "more": MORE})
        opened = session.execute(REVIEWS, {"project": told.project, "now": town.now}).rowcount
        session.execute(REPORTS, {"project": told.project, "more": MORE, "now": town.now})
        unrecorded.forgive(session)
    assert opened > MORE
    reviews, filed = town.read(risk.open_reviews), town.read(risk.open_reports)
    assert (len(reviews), reviews.total) == (risk.MOST, opened)
    assert (len(filed), filed.total) == (risk.MOST, MORE)
    few = words(visit(town, "cora", "holds"))
    assert f"The first {risk_queue.FIRST} of {opened} are shown." in few
    seen = words(visit(town, "cora", "holds", most=risk.MOST))
    assert f"{opened} open; the money of each waits until its review is settled" in seen
    assert f"The first {risk.MOST} of {opened} are shown." in seen
    assert f"{MORE} open; each is settled by a person" in seen
    assert f"The first {risk.MOST} of {MORE} are shown." in seen
