"""The search finds what the desk prints, what Stripe calls it, an amount or a name, within the rights of who asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from core.actions.reconciliation import bank_matches, suspense
from core.actions.reconciliation import breaks as break_actions
from core.actions.risk import payee_holds
from core.db import Database
from core.errors import NotFound
from core.money import Money
from core.queries import breaks, search
from core.queries.search import SOURCES, STATUS_AXES, Hit, Result
from core.records import BankAccount, StripePayout
from core.rules.permissions import Permission
from core.rules.search import OF_REFERENCE, Found
from core.rules.status_labels import AXES
from core.rules.suspense import SettledAs
from dashboard import navigation
from dashboard.search import PLACES, TITLES
from tests import builders
from tests.actions.test_bank_matching import stated
from tests.builders import Told, Town
from tests.database import as_owner


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@pytest.fixture
def told(town: Town) -> Told:
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)
    return told


def look(town: Town, words: str, *, as_: str = "fay", limit: int = 8) -> Result:
    return town.read(
        lambda session: search.search(session, town.as_staff(as_), words, now=town.now, limit=limit)
    )


def kinds(result: Result) -> set[Found]:
    return {hit.kind for hit in result.hits}


def one(town: Town, words: str, *, as_: str = "fay") -> Hit:
    found = look(town, words, as_=as_)
    assert found.direct is not None, (words, found)
    return found.direct


def test_a_number_that_the_desk_prints_leads_to_its_object(town: Town, told: Told) -> None:
    assert (one(town, f"D-{told.case}").kind, one(town, f"d{told.case}").id) == (Found.CASE, str(told.case))
    builders.funded(town, title=f"What was agreed in D-{told.case}00")
    assert one(town, f"D-{told.case}").kind == Found.CASE
    assert one(town, f"M-{told.milestone}").project_id == told.project
    assert one(town, "W-1").kind == Found.PAYOUT
    for number in town.read(lambda s: s.scalars(text("select number from receipts"))).all():
        assert one(town, number.lower()).reference == number
    placed = {"party_id": town.payee_id, "reason": "Odd."}
    stopped = town.act(payee_holds.place, town.as_staff("cora"), **placed)
    found = one(town, f"H-{stopped.id}")
    assert (found.kind, found.id, found.detail) == (Found.HOLD, str(stopped.id), "Odd.")


def test_what_stripe_calls_it_leads_there_too(town: Town, told: Told) -> None:
    with town.database.reading() as session:
        order = session.execute(
            text("select stripe_payment_intent, stripe_charge from payment_orders where milestone_id = :m"),
            {"m": told.milestone},
        ).one()
        payout = session.execute(text("select stripe_transfer, stripe_payout from payouts")).one()
        refund = session.scalar(text("select stripe_refund from refunds"))
        line = session.scalar(text("select min(id) from balance_transactions"))
    for words, kind in (
        (order.stripe_payment_intent, Found.MILESTONE),
        (order.stripe_charge, Found.MILESTONE),
        (payout.stripe_transfer, Found.PAYOUT),
        (payout.stripe_payout, Found.PAYOUT),
        (refund, Found.REFUND),
        (line, Found.JOURNAL),
    ):
        assert kind in kinds(look(town, words)), words


def test_a_payout_of_stripes_to_our_bank_is_found_by_its_id_and_one_to_a_payees_is_not(town: Town) -> None:
    about = {"amount": 5_000, "currency": "USD", "status": "paid", "method": "standard", "automatic": True}
    about |= {"created_at": town.now, "arrival_at": town.now, "fetched_at": town.now}
    ours = StripePayout(id="po_ours1", **about)
    theirs = StripePayout(id="po_theirs1", account="acct_1", party_id=town.payee_id, **about)
    town.database.run(lambda s: s.add_all([ours, theirs]))
    (hit,) = look(town, "po_ours1").hits
    assert PLACES[hit.kind](hit) == ("reconciliation", {"payout": "po_ours1"})
    assert look(town, "po_theirs1").hits == ()


def test_an_amount_leads_to_what_was_agreed_charged_paid_and_sent_back(town: Town, told: Told) -> None:
    with town.database.reading() as session:
        charged = session.scalar(
            text("select charge_minor from payment_orders where milestone_id = :m"), {"m": told.milestone}
        )
        paid = session.scalar(text("select amount_minor - fee_minor from payouts"))
        back = session.scalar(text("select amount_minor from refunds"))
    assert charged
    assert paid
    assert back
    assert kinds(look(town, Money(charged, "USD").text())) == {Found.MILESTONE, Found.RECEIPT}
    assert Found.PAYOUT in kinds(look(town, Money(paid, "USD").major()))
    assert Found.REFUND in kinds(look(town, f"{Money(back, 'USD').major().replace('.', ',')}"))
    assert look(town, f"€{Money(charged, 'USD').major()}").hits == ()


def test_an_amount_leads_to_the_documents_of_it_in_either_notation(town: Town, told: Told) -> None:
    with town.database.reading() as session:
        papers = session.execute(text("select number, total_minor from receipts")).all()
    assert {each.number[1] for each in papers} >= {"R", "I", "C"}, "a receipt, an invoice and a credit note"
    for each in papers:
        amount = Money(each.total_minor, "USD")
        dots = amount.major().replace(",", "").replace(".", ",")
        for words in (amount.text(), amount.major(), dots, f"{dots} USD"):
            found = [hit.reference for hit in look(town, words).hits if hit.kind == Found.RECEIPT]
            assert each.number in found, words
        assert look(town, f"€{amount.major()}").hits == ()


def test_an_amount_leads_to_the_bank_statement_that_has_it_for_whoever_reads_the_ledger(town: Town) -> None:
    town.database.run(lambda session: stated(session, [(0, 4_711, "Odd"), (0, -311, "Charge")]))
    for words in ("47.11", "47,11", "$47.11", "3.11", "-3,11", "44.00"):
        assert Found.BANK_STATEMENT in kinds(look(town, words)), words
        assert look(town, words, as_="mia").hits == (), words
    assert look(town, "€47.11").hits == ()
    assert look(town, "47.12").hits == ()


def test_a_name_is_found_without_its_accents_and_with_them(town: Town) -> None:
    number = builders.a_party(town, "PAYER", "Zoë Ångström-Núñez")
    for words in ("zoe angstrom", "ZOË", "núñez", "Nunez zoe"):
        assert str(number) in {hit.id for hit in look(town, words, as_="mia").hits}, words
    assert look(town, "zoe%").hits == look(town, "z_e").hits == ()


def test_a_party_leads_to_their_projects_cases_and_payouts(town: Town, told: Told) -> None:
    name = builders.party_of(town, town.payee_id).name
    assert kinds(look(town, name)) >= {Found.PARTY, Found.PROJECT, Found.CASE, Found.PAYOUT}


def test_everyone_finds_what_they_may_read_and_nothing_else(town: Town, told: Told) -> None:
    assert look(town, "stripe_balance", as_="mia").hits == ()
    assert one(town, "stripe_balance").kind == Found.ACCOUNT
    assert look(town, "W-1", as_="mia").hits == ()
    assert Found.AUDIT_ENTRY in kinds(look(town, "1", as_="cora"))
    assert Found.AUDIT_ENTRY not in kinds(look(town, "1", as_="fay"))


def test_of_many_the_newest_are_shown_and_it_is_said_that_there_are_more(town: Town) -> None:
    for _ in range(3):
        builders.funded(town, title="Gläserner Anbau")
    found = look(town, "glaserner", limit=2)
    projects = [int(hit.id) for hit in found.hits if hit.kind == Found.PROJECT]
    assert projects == sorted(projects, reverse=True)
    assert (len(projects), Found.PROJECT in found.more) == (2, True)


@pytest.fixture
def statements(town: Town) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)

    event.listen(town.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(town.database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("words", ["D-1", "12", "1,234.56", "pi_1", "a name of somebody", "held:1"])
def test_a_search_is_one_statement(town: Town, statements: list[str], words: str) -> None:
    look(town, words)
    assert len([each for each in statements if "found as materialized" in each]) == 1
    assert len([each for each in statements if each.lower().startswith(("select", "with", "("))]) == 1


@pytest.mark.parametrize(
    "words", ["' or 1=1 --", ":id", "\\", "%", "{0}", "a\0b c", "x" * 5_000, "﷽", "D-" + "9" * 18]
)
def test_odd_words_find_nothing_and_break_nothing(town: Town, words: str) -> None:
    assert look(town, words).hits == ()


def test_every_kind_has_its_place_its_title_and_its_words() -> None:
    assert set(SOURCES) == set(Found) == set(PLACES) == set(TITLES)
    assert set(OF_REFERENCE.values()) <= set(Found)
    assert all(axis in AXES for axis in STATUS_AXES.values())
    hit = Hit(Found.CASE, "1", "D-1", "", "", None, None, None, 1, 1)
    for kind, place in PLACES.items():
        page, _ = place(hit)
        assert page in navigation.on_disk()
        wanted = navigation.on_disk()[page].permission
        assert permitted(SOURCES[kind].permission) <= permitted(wanted), (kind, page)


def permitted(permission: Permission) -> frozenset[object]:
    from core.rules.permissions import TABLE

    return frozenset(TABLE[permission])


def test_a_changed_name_is_found_at_once(town: Town) -> None:
    with town.database.transaction() as session:
        session.execute(
            text("update parties set name = 'Wilhelmina Ohnesorg' where id = :id"), {"id": town.payer_id}
        )
    assert look(town, "ohnesorg").hits


def test_what_only_our_bank_has_is_found_by_its_amount_and_called_what_it_is(town: Town) -> None:
    """It has no line of Stripe's, so nothing that Stripe calls it."""
    lines = town.database.run(lambda session: stated(session, [(0, 4_711, "Odd")]))
    said = {"line_ids": lines, "settled_as": SettledAs.OTHER_INCOME, "reason": "Interest, it seems."}
    town.act(bank_matches.explain, town.as_staff("fay"), **said)
    (hit,) = [each for each in look(town, "47.11").hits if each.kind == Found.SUSPENSE]
    assert (hit.detail, hit.amount) == ("", Money(4_711, "USD"))
    assert one(town, "B-1").title == "Line of our bank"


def test_statements_are_found_by_the_number_of_our_bank_account(town: Town) -> None:
    town.database.run(lambda session: stated(session, [(0, 4_711, "Odd")]))
    number = town.read(lambda session: session.scalars(select(BankAccount.identifier)).one())
    assert kinds(look(town, number.lower())) == {Found.BANK_STATEMENT}


def test_a_refund_that_was_sent_from_our_bank_is_found_by_the_banks_reference(town: Town, told: Told) -> None:
    sent = (
        "insert into refund_returns (refund_id, way, reference, reason, proposed_by, proposed_at, status, settled_by,"
        " settled_at) select id, 'BANK_TRANSFER', 'WT-7325', 'x', :one, now(), 'DONE', :other, now() from refunds"
    )
    people = {"one": town.as_staff("fay").id, "other": town.as_staff("cora").id}
    with as_owner(town.database) as session:
        session.execute(text(sent), people)
    assert kinds(look(town, "WT-7325")) == {Found.REFUND}


def test_a_break_is_found_with_its_status_and_beside_it_its_class(town: Town) -> None:
    lines = town.database.run(lambda session: stated(session, [(0, 4_711, "Odd")]))
    said = {"line_ids": lines, "settled_as": SettledAs.OTHER_INCOME, "reason": "Interest, it seems."}
    (item,) = town.act(bank_matches.explain, town.as_staff("fay"), **said)
    found = one(town, "B-1")
    assert (found.status, found.status_words, found.detail) == ("PROPOSED", "Proposed", "Bank only")
    town.act(suspense.reject, town.as_staff("cora"), item_ids=[item.id], reason="It is a fee.")
    assert one(town, "B-1").status_words == "Open"
    town.act(
        break_actions.wait,
        town.as_staff("fay"),
        break_id=1,
        until=town.now + timedelta(days=3),
        reason="It may come.",
    )
    assert one(town, "B-1").status_words == "Waiting"
    town.wait(days=5)
    assert one(town, "B-1").status_words == "Open"


def test_an_amount_in_suspense_is_found_at_an_address_of_its_own(town: Town) -> None:
    """The break that it is; also after what the line was booked as was reversed and it is in suspense again."""
    lines = town.database.run(lambda session: stated(session, [(0, 4_711, "Odd"), (0, 1_500, "More")]))
    said = {"settled_as": SettledAs.OTHER_INCOME, "reason": "Interest, it seems."}
    fay = town.as_staff("fay")
    (first,) = town.act(bank_matches.explain, fay, line_ids=lines[:1], **said)
    (second,) = town.act(bank_matches.explain, fay, line_ids=lines[1:], **said)
    assert PLACES[Found.SUSPENSE](one(town, f"S-{second.id}")) == (
        "reconciliation",
        {"suspense": str(second.id)},
    )
    of = {each.id: town.read(lambda s, n=each.id: breaks.of_suspense(s, n)) for each in (first, second)}
    for number, item in zip(of.values(), (first, second), strict=True):
        assert town.read(lambda s, n=number: breaks.one(s, n, now=town.now)).suspense_item_id == item.id
    with pytest.raises(NotFound, match="There is no suspense item 99"):
        town.read(lambda session: breaks.of_suspense(session, 99))
