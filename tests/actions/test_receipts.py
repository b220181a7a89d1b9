"""Every payment in, release and refund leaves a receipt; the paper is the same each time it is drawn."""

from __future__ import annotations

import io

import pikepdf
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import receipts, verification
from core.config import Settings
from core.db import Database
from core.errors import NotFound
from core.money import Money
from core.queries import receipts as lists
from core.receipts import draw
from core.records import Receipt
from core.rules.permissions import Actor, NotPermitted
from tests import builders
from tests.builders import Told, Town
from tests.test_paper import printed

SETTINGS = Settings(issuer="Homes Ltd, 1 High Street, Leeds", home_services_contact="help@homes.example")


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def written(town: Town) -> list[Receipt]:
    return list(town.read(lambda session: session.scalars(select(Receipt).order_by(Receipt.id)).all()))


def split(town: Town) -> Told:
    """Part released, part refunded; everything has moved."""
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(100_000, "USD")))
    builders.carry_out(town)
    return told


def test_a_payment_a_release_and_a_refund_each_have_one_with_the_amounts_that_moved(town: Town) -> None:
    split(town)
    found = {each.kind: each for each in written(town)}
    assert len(written(town)) == 3
    assert found["FUNDING"].lines == [
        ["Milestone amount, held", 180_000],
        ["Platform fee", 4_500],
        ["Processing fee", found["FUNDING"].total_minor - 184_500],
    ]
    assert (found["RELEASE"].total_minor, found["RELEASE"].lines) == (
        100_000,
        [["Part of the milestone amount, released", 100_000]],
    )
    assert found["REFUND"].lines == [
        ["Part of the milestone amount, refunded", 80_000],
        ["Fees returned", 2_000],
    ]
    assert found["REFUND"].total_minor == 82_000
    for each in found.values():
        assert (each.payer_id, each.payee_id) == (town.payer_id, town.payee_id)
        assert sum(minor for _, minor in each.lines) == each.total_minor


def test_a_full_release_refunds_nothing_and_a_receipt_bears_the_scope_of_its_day(town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town)
    assert [each.kind for each in written(town)] == ["FUNDING", "RELEASE"]
    first = written(town)[0]
    assert first.scope["scope"] == "Cabinets, worktop and connections, as drawn."
    assert len(first.scope_hash) == 64
    assert first.number == f"R-2026-{first.id:06}"


def test_the_paper_is_the_same_bytes_and_says_who_paid_whom_what(town: Town) -> None:
    split(town)
    for row in written(town):
        paper = town.read(
            lambda session, row=row: receipts.paper_of(session, session.get_one(Receipt, row.id), SETTINGS)
        )
        once, again = draw(paper), draw(paper)
        assert once == again
        assert once.startswith(b"%PDF")
        with pikepdf.open(io.BytesIO(once)) as pdf:
            assert len(pdf.pages) == 1
            assert row.number in str(pdf.docinfo["/Title"])


def test_a_paper_says_who_issued_it_what_moved_the_money_and_by_which_numbers_it_goes(town: Town) -> None:
    """An invoice spoke of accepted work that a mediator had to decide about; no paper named its issuer or the case."""
    told = split(town)
    papers = {
        row.kind: town.read(lambda s, row=row: receipts.paper_of(s, s.get_one(Receipt, row.id), SETTINGS))
        for row in written(town)
    }
    case, place = f"D-{told.case}", f"milestone M-{told.milestone}, project P-{told.project}"
    assert {kind: (each.said, each.references) for kind, each in papers.items()} == {
        "FUNDING": (
            "Received from the payer. The milestone amount is held until it is released or refunded.",
            place,
        ),
        "RELEASE": (f"Released to the payee by decision on case {case}.", f"case {case}, {place}"),
        "REFUND": (f"Refunded to the payer by decision on case {case}.", f"case {case}, {place}"),
    }
    for each in papers.values():
        assert each.issuer == "Homes Ltd, 1 High Street, Leeds, help@homes.example"
        assert all(words in printed(draw(each)) for words in (each.said, each.issuer, each.references))


def test_what_nobody_disputed_is_released_under_the_terms_of_its_milestone(town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    _, invoice = written(town)
    assert invoice.lines == [["Milestone amount, released in full", 180_000]]
    paper = town.read(lambda s: receipts.paper_of(s, s.get_one(Receipt, invoice.id), SETTINGS))
    assert paper.said == "Released to the payee: the milestone counts as accepted under its terms."


def test_words_of_outsiders_cannot_break_the_paper(town: Town) -> None:
    builders.funded(town, title="<b>Kitchen</i> & <img src=x> \u202e")
    row = written(town)[0]
    assert town.read(lambda s: draw(receipts.paper_of(s, s.get_one(Receipt, row.id), SETTINGS)))


def test_a_download_is_noted_and_is_for_staff(town: Town) -> None:
    told = builders.funded(town)
    number = written(town)[0].id
    name, content = town.act(receipts.download, town.as_staff("mia"), settings=SETTINGS, receipt_id=number)
    assert (name, content[:4]) == (f"{written(town)[0].number}.pdf", b"%PDF")
    terminal = Actor("operator", None, via="root on desk")
    assert town.act(receipts.download, terminal, settings=SETTINGS, receipt_id=number)[1] == content
    with pytest.raises(NotPermitted):
        town.act(receipts.download, Actor("party", town.payer_id), settings=SETTINGS, receipt_id=number)
    with pytest.raises(NotFound):
        town.act(receipts.download, terminal, settings=SETTINGS, receipt_id=10**9)
    noted = (
        "select count(*) from audit_entries where action = 'staff:receipt:download' and milestone_id = :id"
    )
    assert town.read(lambda s: s.scalar(text(noted), {"id": told.milestone})) == 1


def test_the_list_of_a_project_is_in_order_with_what_each_is_called(town: Town) -> None:
    told = split(town)
    shown = town.read(lambda session: lists.of_project(session, told.project))
    assert [(each.kind, each.total.text()) for each in shown][1:] == [
        ("Invoice", "$1,000.00"),
        ("Credit note", "$820.00"),
    ]


def test_a_receipt_cannot_be_changed_in_sql(town: Town, owner: Database) -> None:
    builders.funded(town)
    with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
        session.execute(text("update receipts set total_minor = 1"))
