"""A person is erased: nothing of theirs is left, the record stays provable, the other party loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from core import audit, case_file, doctor
from core.actions.cases import conversation, evidence
from core.actions.milestones import ratings, verification
from core.actions.parties import details
from core.actions.privacy import erasures, legal_holds
from core.actions.privacy.erasures import NotErasable, NotErased
from core.audit import erasure_receipt
from core.config import Settings
from core.db import Database
from core.desk import Desk
from core.embedded_postgres import Urls
from core.errors import NotFound
from core.gateways.evidence_keys import EvidenceErased
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.processes import erased_files, letter_delivery, payee_accounts, provider_accounts
from core.queries import erasure_blocks, invariants
from core.records import BankChange, Erasure, Evidence, Notification, Party, PayeeAccount
from core.rules import personal_data
from core.rules.irreversible import NotTyped
from core.rules.parties import PartyErased
from core.rules.permissions import Actor, NotPermitted, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalEnded, ProposalWaits
from tests import builders
from tests.builders import Told, Town
from tests.desk_fixtures import a_desk
from tests.sandbox_desk import Market

NAME, MAIL, BEFORE = "Zdenka O'Quillan-Ferrow", "zdenka.secret@example.com", "zdenka.before@example.com"
WORDS = "The worktop arrived with a crack shaped like a heron."
COMPLAINT = "The worktop was never delivered."
CAPTION, FILE = "Heron-shaped crack, left corner", "zdenkas-kitchen-heron.txt"
BYTES = b"A letter of Zdenka's neighbour about the heron."
SECRETS = (NAME, MAIL, BEFORE, WORDS, COMPLAINT, CAPTION, FILE, BYTES.decode(), "O&#39;Quillan", "heron")
"""What must stand nowhere afterwards."""


@pytest.fixture
def town(database: Database, owner: Database) -> Town:
    return builders.a_town(database)


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path)


OF_THE_OTHER: dict[str, Any] = {
    "party": lambda s: s.execute(text("select name, email, city from parties where role = 'PAYEE'")).all(),
    "messages": lambda s: s.execute(
        text(
            "select body from messages where author_id = (select id from parties where role = 'PAYEE')"
            " and body not like 'Dear%'"
        )
    ).all(),
    "evidence": lambda s: s.execute(
        text(
            "select file_name, sha256 from evidence where uploaded_by = (select id from parties where role = 'PAYEE')"
        )
    ).all(),
    "documents": lambda s: s.execute(text("select number, payee_name, total_minor from receipts")).all(),
    "books": lambda s: s.execute(text("select code, balance from account_balances order by 1")).all(),
}


def told_of(town: Town, store: EvidenceStore) -> Told:
    """A life with both parties, from the payment to the reviews."""
    town.act(
        details.change,
        town.payer,
        party_id=town.payer_id,
        wanted={"name": NAME, "email": BEFORE, "city": "Zlin"},
    )
    town.act(details.change, town.payer, party_id=town.payer_id, wanted={"email": MAIL})
    told = builders.in_mediation(town, total=Money(100_000, "USD"))
    say = {"milestone_id": told.milestone}
    town.act(conversation.say, town.payer, body=WORDS, **say)
    town.act(conversation.say, town.payee, body=f"Dear {NAME}, it is only a scratch.", **say)
    town.act(
        evidence.submit,
        town.payer,
        store=store,
        file_name=FILE,
        content=BYTES,
        caption=CAPTION,
        case_id=told.case,
        **say,
    )
    town.act(
        evidence.submit,
        town.payee,
        store=store,
        file_name="ours.txt",
        content=b"Signed at delivery.",
        caption="",
        case_id=told.case,
        **say,
    )
    builders.decided(town, told, builders.a_draft(told, release=Money(60_000, "USD")))
    builders.carry_out(town)
    rate = {"project_id": told.project, "stars": 4}
    town.act(ratings.submit, town.payer, body=f"{WORDS} — {NAME}", **rate)
    town.act(ratings.submit, town.payee, body=f"A pleasure, {NAME}.", **rate)
    return told


def a_home(town: Town, store: EvidenceStore, home: Path) -> Desk:
    return replace(a_desk(town.database, home, clock=lambda: town.now), evidence=store)


def sent(town: Town, desk: Desk) -> None:
    """Every e-mail that waits is sent."""
    town.wait(days=1)
    while letter_delivery.deliver_due(desk):
        pass


def erase(town: Town, party_id: int | None = None) -> Erasure:
    number = party_id or town.payer_id
    row = town.act(erasures.propose, town.as_staff("cora"), party_id=number, reason="They asked for it")
    return town.act(erasures.approve, town.as_staff("ada"), erasure_id=row.id, typed=known_as(town, number))


def known_as(town: Town, party_id: int) -> str:
    return builders.party_of(town, party_id).external_id


def places(owner: Database, secret: str) -> list[str]:
    """Every table and column in which this stands, whatever its type, in upper or lower case."""
    columns = text(
        "select c.table_name, c.column_name from information_schema.columns c join information_schema.tables t"
        " on t.table_name = c.table_name and t.table_schema = c.table_schema"
        " where c.table_schema = 'public' and t.table_type = 'BASE TABLE'"
    )
    with owner.reading() as session:
        found = []
        for table, column in session.execute(columns).all():
            wanted = f'select count(*) from public."{table}" where position(:secret in lower("{column}"::text)) > 0'
            if session.execute(text(wanted), {"secret": secret.lower()}).scalar():
                found.append(f"{table}.{column}")
        return found


def test_nothing_of_an_erased_person_is_left_and_the_record_stays_provable(
    town: Town, store: EvidenceStore, owner: Database, auditor: Database, tmp_path: Path
) -> None:
    told, desk = told_of(town, store), a_home(town, store, tmp_path)
    sent(town, desk)
    there = {secret: places(owner, secret) for secret in SECRETS}
    assert [secret for secret, found in there.items() if not found] == [BYTES.decode(), "O&#39;Quillan"]
    before = {name: town.read(question) for name, question in OF_THE_OTHER.items()}
    row = erase(town)
    assert erased_files.sweep(desk) == 1
    left = {secret: found for secret in SECRETS if (found := places(owner, secret))}
    assert left == {NAME: ["receipts.payer_name"]}  # the law keeps documents
    home = [path for path in tmp_path.rglob("*") if path.is_file()]
    lying = [
        (path.name, secret) for path in home for secret in SECRETS if secret.encode() in path.read_bytes()
    ]
    assert lying == []
    with pytest.raises(EvidenceErased):
        store.get(town.payer_id, town.read(lambda s: s.scalars(select(Evidence.sha256)).first()) or "")
    # The other party has lost nothing.
    after = {name: town.read(question) for name, question in OF_THE_OTHER.items()}
    assert after == before
    signer = audit.desk_signer(town.database, tmp_path, now=town.now)
    audit.seal(town.database, signer, tmp_path / "checkpoints", now=town.now)
    report = audit.verify(auditor, tmp_path / "checkpoints", files=store.get)
    assert report.ok, report.text
    assert report.erased == row.versions > 10
    assert "erased by right: their hashes stand" in report.text
    assert [(each.name, each.rows) for each in town.read(invariants.run) if each.rows] == []
    packed = town.act(case_file.export, town.as_staff("cora"), store=store, signer=signer, case_id=told.case)
    (tmp_path / "case.zip").write_bytes(packed.content)
    verified = case_file.verify(tmp_path / "case.zip")
    assert verified.ok, verified.wrong
    assert verified.erased > 3
    # Years later the law keeps their name no longer.
    party = town.read(lambda s: s.get_one(Party, town.payer_id))
    assert (party.name, party.email, party.city) == ("erased", "erased", "")
    assert row.documents_until is not None
    town.now = row.documents_until - timedelta(days=1)
    assert erased_files.sweep(desk) == 0
    town.now = row.documents_until
    legal = town.act(legal_holds.place, town.as_staff("cora"), party_id=town.payer_id, reason="Tax audit")
    assert (legal.id, erased_files.sweep(desk)) == (legal.id, 0)
    town.act(legal_holds.lift, town.as_staff("cora"), party_id=town.payer_id, reason="It ended")
    town.now += timedelta(seconds=1)
    assert erased_files.sweep(desk) == 1
    assert places(owner, NAME) == []
    assert town.read(lambda s: s.get_one(Erasure, row.id)).documents_until is None
    assert audit.verify(auditor, tmp_path / "checkpoints").first_altered is None


def test_what_is_in_the_way_is_said_all_at_once_and_a_legal_hold_wins(
    town: Town, store: EvidenceStore
) -> None:
    builders.in_mediation(town)
    town.act(legal_holds.place, town.as_staff("cora"), party_id=town.payee_id, reason="Lawsuit 17 C 42/26.")
    with pytest.raises(NotErasable) as refused:
        town.act(erasures.propose, town.as_staff("cora"), party_id=town.payee_id, reason="Asked")
    codes = [each.code for each in refused.value.blocks]
    assert codes[:3] == ["legal_hold", "project_open", "case_open"]
    assert {"email_waiting", "funds_held", "fee_deferred"} <= set(codes)
    said = refused.value.message
    assert (
        "A legal hold stands since 4 Mar 2026, 14:30 UTC, placed by Cora Nwosu: Lawsuit 17 C 42/26." in said
    )
    assert "1 project is open (P-1)." in said
    assert "Client funds are held: 1,400.00 USD" in said or "Client funds are held:" in said
    assert town.read(lambda s: s.scalars(select(Erasure)).all()) == []


def test_it_takes_two_people_once(town: Town) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    with pytest.raises(NotPermitted):
        town.act(erasures.propose, town.as_staff("ada"), party_id=number, reason="Asked")
    row = town.act(erasures.propose, town.as_staff("cora"), party_id=number, reason="Asked")
    with pytest.raises(ProposalWaits):
        town.act(erasures.propose, town.as_staff("cora"), party_id=number, reason="Asked again")
    with pytest.raises(MakerIsChecker):
        town.act(
            erasures.approve, town.as_staff("cora"), erasure_id=row.id, typed=known_as(town, row.party_id)
        )
    with pytest.raises(NotPermitted):
        town.act(
            erasures.approve, town.as_staff("mia"), erasure_id=row.id, typed=known_as(town, row.party_id)
        )
    stale = town.as_staff("ada")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(erasures.approve, stale, erasure_id=row.id, typed=known_as(town, row.party_id))
    for other in ("", "PAYER", known_as(town, town.payer_id)):
        with pytest.raises(NotTyped):
            town.act(erasures.approve, town.as_staff("ada"), erasure_id=row.id, typed=other)
    # What came in the way meanwhile is asked again.
    town.act(legal_holds.place, town.as_staff("cora"), party_id=number, reason="Lawsuit")
    with pytest.raises(NotErasable):
        town.act(
            erasures.approve, town.as_staff("ada"), erasure_id=row.id, typed=known_as(town, row.party_id)
        )
    town.act(legal_holds.lift, town.as_staff("cora"), party_id=number, reason="Over")
    town.act(erasures.approve, town.as_staff("ada"), erasure_id=row.id, typed=known_as(town, row.party_id))
    with pytest.raises(ProposalEnded):
        town.act(
            erasures.approve, town.as_staff("ada"), erasure_id=row.id, typed=known_as(town, row.party_id)
        )
    with pytest.raises(PartyErased):
        town.act(erasures.propose, town.as_staff("cora"), party_id=number, reason="Asked")


def test_a_proposal_is_withdrawn_or_rejected_and_nothing_is_erased(town: Town, tmp_path: Path) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    for subject, status in (("cora", "WITHDRAWN"), ("ada", "REJECTED")):
        row = town.act(erasures.propose, town.as_staff("cora"), party_id=number, reason="Asked")
        town.act(erasures.reject, town.as_staff(subject), erasure_id=row.id, reason="A mistake")
        assert town.read(lambda s, row=row: s.get_one(Erasure, row.id)).status == status
    assert town.read(lambda s: s.get_one(Party, number)).name == "Nobody In Particular"
    signer = audit.desk_signer(town.database, tmp_path, now=town.now)
    with pytest.raises(NotErased):
        town.act(erasures.receipt, town.as_staff("cora"), party_id=number, signer=signer)


def test_whoever_is_erased_stays_so(town: Town, owner: Database) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    erase(town, number)
    who = Actor("party", number)
    with pytest.raises(PartyErased):
        town.act(details.change, who, party_id=number, wanted={"name": "Back Again"})
    for statement in (
        f"update parties set name = 'Back Again' where id = {number}",
        f"update parties set erased_at = null where id = {number}",
    ):
        with pytest.raises(DBAPIError):
            town.database.run(lambda s, statement=statement: s.execute(text(statement)))
    town.payer_id = number
    with pytest.raises(PartyErased):
        builders.funded(town)
    assert town.read(lambda s: s.get_one(Party, number)).name == "erased"


def test_the_applications_login_erases_nobody_without_two_people(town: Town) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    row = town.act(erasures.propose, town.as_staff("cora"), party_id=number, reason="Asked")
    for statement in (
        f"select erase_person({row.id}, now(), interval '1 day')",
        f"update parties set erased_at = now() where id = {number}",
        "update row_changes set salt = null",
        "update messages set body = ''",
        f"update erasures set xid = pg_current_xact_id() where id = {row.id}",
        "update erasures set erased_at = now(), counts = '{}', versions = 0",
        "insert into erasures (party_id, reason, proposed_by, proposed_at, status, settled_by, settled_at)"
        f" values ({number}, 'x', 1, now(), 'DONE', 2, now())",
        "delete from personal_data",
        "insert into personal_data values (999, 'messages', 'true', 'body = null')",
    ):
        with pytest.raises(DBAPIError):
            town.database.run(lambda s, statement=statement: s.execute(text(statement)))


def test_the_receipt_is_signed_and_says_what_was_done_and_what_is_kept(
    town: Town, store: EvidenceStore, tmp_path: Path
) -> None:
    told_of(town, store)
    desk = a_home(town, store, tmp_path)
    sent(town, desk)
    row = erase(town)
    erased_files.sweep(desk)
    signer = audit.desk_signer(town.database, tmp_path, now=town.now)
    name, content = town.act(erasures.receipt, town.as_staff("cora"), party_id=town.payer_id, signer=signer)
    data = erasure_receipt.read(content, name=name)
    assert erasure_receipt.signer_of(data) == signer.public
    assert data["party"] == town.payer_id
    assert data["approved_by"] == {"id": town.staff["ada"], "name": "Ada Berg"}
    assert data["overwritten"]["messages"] >= 3
    assert data["versions_without_salt"] == row.versions
    assert data["files_unreadable_since"]
    assert [each["what"] for each in data["kept"]] == ["name in documents"]
    assert list(personal_data.kept_for_good()) == data["kept_for_good"]
    assert erasure_receipt.signer_of({**data, "party": 999}) is None
    assert not any(secret in content.decode() for secret in SECRETS)


def test_a_process_that_dies_before_the_key_is_destroyed_is_made_good(
    town: Town, store: EvidenceStore, tmp_path: Path
) -> None:
    told_of(town, store)
    desk = a_home(town, store, tmp_path)
    sent(town, desk)
    row = erase(town)  # committed, and the process dies here
    theirs = select(Evidence.sha256).where(Evidence.uploaded_by == town.payer_id)
    assert store.get(town.payer_id, town.read(lambda s: s.scalars(theirs).one())) == BYTES
    store.keys.destroy(town.payer_id)  # or here
    assert erased_files.sweep(desk) == 1
    assert erased_files.sweep(desk) == 0
    assert town.read(lambda s: s.get_one(Erasure, row.id)).files_gone_at == town.now
    assert not (store.folder / str(town.payer_id)).exists()


def test_what_sql_did_before_beside_or_after_an_erasure_is_still_named(
    town: Town, store: EvidenceStore, owner: Database, auditor: Database, tmp_path: Path
) -> None:
    told_of(town, store)
    sent(town, a_home(town, store, tmp_path))

    def tamper(statement: str) -> None:
        with owner.transaction() as session:
            session.execute(text("set local session_replication_role = replica"))
            session.execute(text(statement))

    def found() -> list[str]:
        report = audit.verify(auditor, tmp_path / "checkpoints")
        return [each.text for each in report.findings if each.kind == "row"]

    mine = f"author_kind = 'party' and author_id = {town.payer_id}"
    first = town.read(lambda s: s.scalar(text(f"select min(id) from messages where {mine}")))
    last = town.read(lambda s: s.scalar(text(f"select max(id) from messages where {mine}")))
    tamper(f"update messages set body = 'I never complained' where id = {first}")
    erase(town)
    gap = f"Row {first} of messages was altered past the log before change "
    assert [each for each in found() if not each.startswith(gap)] == []
    assert len(found()) == 1
    tamper(f"update messages set body = 'It was all my fault' where id = {last}")
    assert any(f"Row {last} of messages (body) is not what was logged" in each for each in found())
    tamper("update row_changes set salt = null where relation = 'projects'")
    assert any("was destroyed, and no erasure tells of it" in each for each in found())


def test_whoever_is_not_there_is_not_erased_and_a_key_is_said_to_be_gone_once(
    town: Town, tmp_path: Path
) -> None:
    ada, nobody = town.as_staff("ada"), 10**9
    with pytest.raises(NotFound):
        town.act(erasures.propose, town.as_staff("cora"), party_id=nobody, reason="They asked for it")
    with pytest.raises(NotFound):
        town.act(erasures.approve, ada, erasure_id=nobody, typed="nobody")
    signer = audit.desk_signer(town.database, tmp_path, now=town.now)
    with pytest.raises(NotFound):
        town.act(erasures.receipt, ada, party_id=nobody, signer=signer)
    row = erase(town, builders.a_party(town, "PAYER", "Nobody In Particular"))
    for _ in range(2):
        town.database.run(lambda s: erasures.files_gone(s, now=town.now, erasure_id=row.id))
    said = (
        select(func.count())
        .where(text("action = 'system:person:destroy_key'"))
        .select_from(text("audit_entries"))
    )
    assert town.read(lambda s: s.scalar(said)) == 1


def test_a_letter_that_failed_is_not_sent_to_whoever_is_erased(town: Town) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    erase(town, number)

    def write(session: Any, actor: Actor, *, now: Any) -> Any:
        from core import notifications

        party = session.get_one(Party, number)
        return notifications.tell_party(session, "email_changed", party=party, key="k", now=now, at=now)

    assert town.act(write, town.payer) is None
    assert (
        town.read(lambda s: s.scalars(select(Notification).where(Notification.party_id == number)).all())
        == []
    )


def test_of_two_who_act_at_once_one_waits_and_is_refused(town: Town) -> None:
    builders.second_administrator(town)
    for other in ("approve", "hold"):
        number = builders.a_party(town, "PAYER", "Nobody In Particular")
        row = town.act(erasures.propose, town.as_staff("cora"), party_id=number, reason="Asked")
        start = Barrier(2)

        def approve(subject: str, row: Erasure = row, start: Barrier = start) -> str:
            start.wait()
            town.act(
                erasures.approve,
                town.as_staff(subject),
                erasure_id=row.id,
                typed=known_as(town, row.party_id),
            )
            return "erased"

        def hold(_: str, number: int = number, start: Barrier = start) -> str:
            start.wait()
            town.act(legal_holds.place, town.as_staff("cora"), party_id=number, reason="Lawsuit")
            return "held"

        def said(what: Callable[[str], str], subject: str) -> str:
            try:
                return what(subject)
            except (ProposalEnded, NotErasable) as refusal:
                return type(refusal).__name__

        with ThreadPoolExecutor(2) as pool:
            both = [
                pool.submit(said, approve, "ada"),
                pool.submit(said, approve if other == "approve" else hold, "alf"),
            ]
            ends = sorted(each.result() for each in both)
        erased = town.read(lambda s, number=number: s.get_one(Party, number)).erased_at is not None
        if other == "approve":
            assert (ends, erased) == (["ProposalEnded", "erased"], True)
        else:  # whoever came first: the hold keeps everything, or there was nothing left to keep
            assert (ends, erased) in ((["NotErasable", "held"], False), (["erased", "held"], True))


def test_the_home_tells_where_the_database_is_from_before_an_erasure(
    town: Town, store: EvidenceStore, urls: Urls, tmp_path: Path
) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    settings = Settings(home=tmp_path, database_url=urls.app_url)
    assert doctor._erasures(settings).ok
    store.keys.destroy(number)  # as a home that knows more than the database
    look = doctor._erasures(settings)
    assert (look.ok, f"before parties {number} were erased" in look.words) == (False, True)
    erase(town, number)
    assert doctor._erasures(settings).ok


def test_a_payee_whose_money_all_arrived_is_erased_with_their_bank_and_stays_so(
    market: Market, owner: Database, tmp_path: Path
) -> None:
    market.control.next_payouts({})
    told = market.submitted(Money(100_000, "USD"))
    provider_accounts.replace_bank(
        market.desk, market.payee_id, asked_as="once", bank_token="btok_us_insufficientFunds"
    )
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    for _ in range(10):
        market.later(days=1)
        sent(market, market.desk)
    mail = market.get(Party, market.payee_id).email
    assert market.read(lambda s: erasure_blocks.blocks(s, market.payee_id)) == ()
    assert places(owner, mail)
    last4 = [bank["last4"] for bank in market.get(PayeeAccount, market.payee_id).banks.values()]
    row = erase(market, market.payee_id)
    assert places(owner, mail) == []
    account = market.get(PayeeAccount, market.payee_id)
    assert [bank["last4"] for bank in account.banks.values()] == ["—"] * len(last4)
    assert {change.after_last4 for change in market.all(BankChange)} == {"—"}
    payee_accounts.read(market.desk, account.account)  # Stripe still knows it
    assert [bank["last4"] for bank in market.get(PayeeAccount, market.payee_id).banks.values()] == ["—"]
    market.later(days=1)
    market.lawful()
    audit.seal(
        market.database,
        audit.desk_signer(market.database, tmp_path, now=market.now),
        tmp_path / "c",
        now=market.now,
    )
    report = audit.verify(owner, tmp_path / "c")
    assert (report.first_altered, report.erased) == (None, row.versions)
