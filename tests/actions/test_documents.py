"""Every payment in, release and refund leaves a receipt; the paper is the same each time it is drawn."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import documents, verification
from core.actions.staff import policy_in_force
from core.audit import content_comparison
from core.config import Settings
from core.db import Database
from core.document_paper import draw
from core.errors import NotFound
from core.money import Money
from core.queries import downloaded_files
from core.queries import project_documents as lists
from core.records import PolicyVersion, Receipt
from core.rules import documents as rules
from core.rules.permissions import Actor, NotPermitted
from tests import builders
from tests.builders import Told, Town
from tests.database import as_owner
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
    assert [each.number for each in written(town)] == ["HR-2026-000001", "HI-2026-000001"]


def test_the_paper_is_the_same_bytes_and_says_who_paid_whom_what(town: Town) -> None:
    split(town)
    for row in written(town):
        paper = town.read(
            lambda session, row=row: documents.paper_of(session, session.get_one(Receipt, row.id), SETTINGS)
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
        row.kind: town.read(lambda s, row=row: documents.paper_of(s, s.get_one(Receipt, row.id), SETTINGS))
        for row in written(town)
    }
    case, place = f"D-{told.case}", f"milestone M-{told.milestone}, project P-{told.project}"
    paid = f"receipt {papers['FUNDING'].number}"
    assert {kind: (each.said, each.references) for kind, each in papers.items()} == {
        "FUNDING": (
            "Received from the payer. The milestone amount is held until it is released or refunded.",
            place,
        ),
        "RELEASE": (f"Released to the payee by decision on case {case}.", f"{paid}, case {case}, {place}"),
        "REFUND": (f"Refunded to the payer by decision on case {case}.", f"{paid}, case {case}, {place}"),
    }
    for each in papers.values():
        assert each.issuer == ("Homes Ltd, 1 High Street, Leeds, help@homes.example",)
        assert all(words in printed(draw(each)) for words in (each.said, *each.issuer, each.references))


def test_what_nobody_disputed_is_released_under_the_terms_of_its_milestone(town: Town) -> None:
    told = builders.funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    _, invoice = written(town)
    assert invoice.lines == [["Milestone amount, released in full", 180_000]]
    paper = town.read(lambda s: documents.paper_of(s, s.get_one(Receipt, invoice.id), SETTINGS))
    assert paper.said == "Released to the payee: the milestone counts as accepted under its terms."


def test_words_of_outsiders_cannot_break_the_paper(town: Town) -> None:
    builders.funded(town, title="<b>Kitchen</i> & <img src=x> \u202e")
    row = written(town)[0]
    assert town.read(lambda s: draw(documents.paper_of(s, s.get_one(Receipt, row.id), SETTINGS)))


def test_a_download_is_noted_and_is_for_staff(town: Town) -> None:
    told = builders.funded(town)
    number = written(town)[0].id
    name, content = town.act(documents.download, town.as_staff("mia"), settings=SETTINGS, receipt_id=number)
    assert (name, content[:4]) == (f"{written(town)[0].number}.pdf", b"%PDF")
    terminal = Actor("operator", None, via="root on desk")
    assert town.act(documents.download, terminal, settings=SETTINGS, receipt_id=number)[1] == content
    with pytest.raises(NotPermitted):
        town.act(documents.download, Actor("party", town.payer_id), settings=SETTINGS, receipt_id=number)
    with pytest.raises(NotFound):
        town.act(documents.download, terminal, settings=SETTINGS, receipt_id=10**9)
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


def test_numbers_are_without_a_gap_in_each_series_and_year(town: Town, owner: Database) -> None:
    split(town)
    builders.funded(town)
    assert [each.number for each in written(town)] == [
        "HR-2026-000001",
        "HI-2026-000001",
        "HC-2026-000001",
        "HR-2026-000002",
    ]
    with owner.transaction() as session:
        at = {"at": datetime(2027, 1, 1, tzinfo=UTC)}
        number = session.scalar(text(AGAIN.replace("at from", ":at from") + " returning number"), at)
    assert number == "HR-2027-000001", "a year begins with one"


AGAIN = """
insert into receipts (key, kind, milestone_id, payer_id, payee_id, currency, total_minor, lines, scope, scope_hash, at)
select 'x' || random(), kind, milestone_id, payer_id, payee_id, currency, total_minor, lines, scope, scope_hash, at from
receipts where kind = 'FUNDING' order by id limit 1
"""


def test_two_at_once_wait_for_each_other_and_what_is_rolled_back_leaves_no_gap(town: Town) -> None:
    builders.funded(town)
    begun, may_end = Event(), Event()

    def slowly() -> None:
        with suppress(ZeroDivisionError), town.database.transaction() as session:
            session.execute(text(AGAIN))
            begun.set()
            may_end.wait(20)
            raise ZeroDivisionError

    def one(_: int) -> str:
        with town.database.transaction() as session:
            return str(session.scalar(text(f"{AGAIN} returning number")))

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(slowly)
        assert begun.wait(20)
        others = [pool.submit(one, n) for n in range(4)]
        assert not any(each.done() for each in others), "its number may still come back"
        may_end.set()
        first.result()
        numbers = sorted(each.result() for each in others)
    assert numbers == [f"HR-2026-00000{n}" for n in (2, 3, 4, 5)]


@pytest.mark.parametrize("given", ["number", "series", "year", "place", "payer_name", "payee_name"])
def test_nobody_chooses_a_number_or_a_name(town: Town, given: str) -> None:
    """Given ones are replaced; the number itself is computed and is refused."""
    builders.funded(town)
    value = {"year": 1999, "place": 7}.get(given, "'XX'")
    asked = AGAIN.replace("at)", f"at, {given})").replace("at from", f"at, {value} from")
    if given == "number":
        with pytest.raises(DBAPIError, match="number"), town.database.transaction() as session:
            session.execute(text(asked))
        return
    with town.database.transaction() as session:
        row = session.execute(text(f"{asked} returning number, payer_name, payee_name")).one()
    first = written(town)[0]
    assert tuple(row) == ("HR-2026-000002", first.payer_name, first.payee_name)


@pytest.mark.parametrize(
    "law",
    [
        "insert into document_series values ('HR', 2026, 5)",
        "update document_series set last = 99",
        "delete from document_series",
    ],
)
def test_the_desk_cannot_count_by_itself(town: Town, law: str) -> None:
    builders.funded(town)
    with pytest.raises(DBAPIError, match="permission denied"), town.database.transaction() as session:
        session.execute(text(law))


def test_an_invoice_names_no_receipt_of_another_milestone(town: Town) -> None:
    split(town)
    builders.funded(town)
    other = written(town)[-1]
    asked = AGAIN.replace("at)", "at, original_id)").replace("at from", f"at, {other.id} from")
    asked = asked.replace("kind = 'FUNDING'", "kind = 'RELEASE'")
    with pytest.raises(DBAPIError, match="is no receipt of milestone"), town.database.transaction() as s:
        s.execute(text(asked))


def test_a_document_keeps_what_the_parties_were_called_that_day(town: Town) -> None:
    builders.funded(town)
    row = written(town)[0]
    before = row.payer_name
    with town.database.transaction() as session:
        session.execute(
            text("update parties set name = 'Another Name' where id = :id"), {"id": town.payer_id}
        )
    paper = town.read(lambda s: documents.paper_of(s, s.get_one(Receipt, row.id), SETTINGS))
    assert paper.payer == before != builders.party_of(town, town.payer_id).name


def taxed(town: Town, bps: int) -> None:
    """What two administrators have published."""
    with as_owner(town.database) as session:
        _, profile = policy_in_force.of(session, "home_services", town.now)
        after = profile.revised(
            issuer_name="Homes GmbH",
            issuer_address="Hauptstraße 1, Berlin",
            tax_id="DE123456789",
            tax_bps=bps,
        )
        session.add(
            PolicyVersion(
                profile="home_services",
                version=after.version,
                snapshot=after.snapshot(),
                effective_at=town.now,
            )
        )


def test_issuer_and_tax_are_the_policys_and_a_credit_note_has_the_rate_of_its_receipt(town: Town) -> None:
    taxed(town, 1_900)
    told = builders.in_mediation(town)
    taxed(town, 700)
    builders.decided(town, told, builders.a_draft(told, release=Money(100_000, "USD")))
    builders.carry_out(town)
    receipt, invoice, credit = written(town)
    assert [each.tax_bps for each in (receipt, invoice, credit)] == [1_900] * 3
    assert invoice.tax_minor == 15_966, "100,000 × 19 / 119, rounded half up"
    assert invoice.original_id == credit.original_id == receipt.id
    paper = printed(town.read(lambda s: draw(documents.paper_of(s, s.get_one(Receipt, credit.id), SETTINGS))))
    for words in (
        "Homes GmbH, Hauptstraße 1, Berlin, Tax id DE123456789, help@homes.example",
        "Tax in it, 19 %",
        "Net of tax",
        f"receipt {receipt.number}",
    ):
        assert words in paper, words


def test_the_tax_in_the_row_is_that_of_its_rate(town: Town) -> None:
    builders.funded(town)
    asked = AGAIN.replace("at)", "at, tax_bps, tax_minor)").replace("at from", "at, 1900, 1 from")
    with pytest.raises(DBAPIError, match="receipts_tax"), town.database.transaction() as session:
        session.execute(text(asked))


@given(minor=st.integers(1, 10**15), bps=st.integers(0, 9_999))
def test_tax_and_net_are_the_whole(minor: int, bps: int) -> None:
    total = Money(minor, "EUR")
    tax = rules.tax_in(total, bps)
    assert tax.minor == (2 * minor * bps + 10_000 + bps) // (2 * (10_000 + bps))
    assert Money.zero("EUR") <= tax <= total


def test_a_file_that_was_handed_out_is_known_again_and_a_changed_one_is_not(town: Town) -> None:
    builders.funded(town)
    row, mia = written(town)[0], town.as_staff("mia")
    unseen = town.read(lambda s: draw(documents.paper_of(s, s.get_one(Receipt, row.id), SETTINGS)))
    assert not town.read(lambda s: downloaded_files.verify(s, mia, unseen)).genuine, "nobody took it yet"
    _, content = town.act(documents.download, mia, settings=SETTINGS, receipt_id=row.id)
    found = town.read(lambda s: downloaded_files.verify(s, mia, content))
    assert (found.genuine, found.taken[0].name) == (True, row.number)
    forged = town.read(lambda s: downloaded_files.verify(s, mia, content.replace(b"%PDF-1.4", b"%PDF-1.5")))
    assert (forged.genuine, forged.names) == (False, row.number)
    assert "no document, statement or export with exactly these bytes" in forged.words
    strange = town.read(lambda s: downloaded_files.verify(s, mia, b"\x00 HR-2026-999999"))
    assert strange.words == "The log has no document, statement or export with exactly these bytes."
    with pytest.raises(NotPermitted):
        town.read(lambda s: downloaded_files.verify(s, Actor("party", town.payer_id), content))


def test_what_a_document_says_is_on_record(town: Town, owner: Database) -> None:
    split(town)
    assert town.read(content_comparison.compare)[0] == []
    with owner.transaction() as session:
        session.execute(text("set session_replication_role = replica"))
        session.execute(text("update receipts set payee_name = 'Somebody' where kind = 'RELEASE'"))
    assert [each.part for each in town.read(content_comparison.compare)[0]] == ["receipts"]
