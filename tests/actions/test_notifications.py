from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import SimulatedClock
from core.db import Database
from core.letters import FactMissing
from core.money import Money
from core.notifications import tell
from core.policy import RETRY_LONGEST, TRIES
from core.processes.leases import CLAIMED_FOR
from core.processes.letter_delivery import deliver_due
from core.records import Notification
from tests.desk_fixtures import a_desk
from tests.parties import NOW, Kitchen, a_kitchen
from tests.recorded import letter
from tests.smtp_server import PostOffice, post_office


def tell_funded(database: Database, kitchen: Kitchen, key: str = "funded") -> Notification | None:
    def write(session: Session) -> Notification | None:
        tell(
            session,
            "milestone_funded",
            party_id=kitchen.payee,
            project_id=kitchen.project,
            milestone_id=kitchen.milestone,
            key=key,
            now=NOW,
            amount=Money(100_000, "USD"),
        )
        return letter(session, key)

    return database.run(write)


def notifications(database: Database) -> list[Notification]:
    with database.reading() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def by_smtp(office: PostOffice) -> str:
    return f"smtp://127.0.0.1:{office.port}"


def test_a_key_is_told_once(database: Database, owner: Database) -> None:
    kitchen = a_kitchen(owner)
    first, second = tell_funded(database, kitchen), tell_funded(database, kitchen)
    assert first is not None
    assert second is None
    assert [each.subject for each in notifications(database)] == ["“Cabinets” is funded: you can start"]


def test_two_actions_at_once_tell_once(database: Database, owner: Database) -> None:
    kitchen = a_kitchen(owner)
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: tell_funded(database, kitchen), range(8)))
    assert sum(each is not None for each in told) == 1


def test_a_letter_is_rolled_back_with_the_action_that_caused_it(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    kitchen = a_kitchen(owner)

    def tell_two(session: Session) -> None:
        for template in ("milestone_funded", "payout_failed"):
            tell(
                session,
                template,
                party_id=kitchen.payee,
                project_id=kitchen.project,
                milestone_id=kitchen.milestone,
                key=template,
                now=NOW,
                amount="$1.00",
            )

    with pytest.raises(FactMissing, match="payout_failed"):
        database.run(tell_two)
    assert notifications(database) == []
    assert deliver_due(a_desk(database, tmp_path, clock=SimulatedClock(NOW))) == 0


def test_a_fact_given_by_the_action_wins_over_the_record(database: Database, owner: Database) -> None:
    kitchen = a_kitchen(owner, title="Old title")
    with database.transaction() as session:
        tell(
            session,
            "thanks",
            party_id=kitchen.payer,
            project_id=kitchen.project,
            key="thanks",
            now=NOW,
            project="New\x00 title\nwith a break",
        )
        told = letter(session, "thanks")
        assert told is not None
        assert told.subject == "Thank you for completing “New title with a break” with us"


def test_letters_that_are_due_become_files(database: Database, owner: Database, tmp_path: Path) -> None:
    kitchen = a_kitchen(owner)
    for number in range(3):
        tell_funded(database, kitchen, f"funded-{number}")
    desk = a_desk(database, tmp_path, clock=SimulatedClock(NOW))
    assert deliver_due(desk, limit=2) == 2
    assert deliver_due(desk, limit=2) == 1
    assert deliver_due(desk) == 0
    files = sorted((tmp_path / "mail").iterdir())
    assert len(files) == 3
    assert "Ben Okafor <ben" in files[0].read_text()
    sent = {(each.status, each.sent_at, each.tries, each.framed) for each in notifications(database)}
    assert sent == {("SENT", NOW, 1, True)}


def test_a_batch_goes_over_one_connection_and_workers_share_it_out(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    kitchen = a_kitchen(owner)
    for number in range(40):
        tell_funded(database, kitchen, f"funded-{number}")
    with post_office() as office:
        desk = a_desk(database, tmp_path, clock=SimulatedClock(NOW), smtp_url=by_smtp(office))
        with ThreadPoolExecutor(4) as threads:
            sent = list(threads.map(lambda _: deliver_due(desk, limit=10), range(4)))
        assert sum(sent) == 40
        assert office.connections <= 4
        ids = [message_from_bytes(letter)["Message-ID"] for letter in office.letters]
        assert len(set(ids)) == len(ids) == 40


def test_a_letter_that_is_deferred_backs_off_and_fails_after_the_last_try(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    tell_funded(database, a_kitchen(owner))
    clock = SimulatedClock(NOW)
    with post_office() as office:
        office.recipient = lambda _: "450 not now"
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        for tried in range(1, TRIES + 1):
            assert deliver_due(desk) == 0
            (letter,) = notifications(database)
            assert letter.tries == tried
            assert letter.error == "The mail server does not take this e-mail now: 450 not now"
            assert letter.next_try_at <= clock() + max(RETRY_LONGEST, CLAIMED_FOR)
            clock.advance(RETRY_LONGEST)
        assert letter.status == "FAILED"
        office.recipient = lambda _: "250 ok"
        clock.advance(timedelta(days=1))
        assert deliver_due(desk) == 0


def test_a_letter_that_is_refused_fails_at_once_and_the_others_go_on(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    bad, good = a_kitchen(owner, email="nobody@example.com"), a_kitchen(owner)
    unwritable = a_kitchen(owner, email="not an address")
    for number, kitchen in enumerate((bad, unwritable, good)):
        tell_funded(database, kitchen, f"funded-{number}")
    with post_office() as office:
        office.recipient = lambda address: "550 unknown" if b"nobody" in address else "250 ok"
        desk = a_desk(database, tmp_path, clock=SimulatedClock(NOW), smtp_url=by_smtp(office))
        assert deliver_due(desk) == 1
    assert [each.status for each in notifications(database)] == ["FAILED", "FAILED", "SENT"]


def test_a_mail_server_that_is_away_costs_no_letter_a_try(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    tell_funded(database, a_kitchen(owner))
    clock = SimulatedClock(NOW)
    desk = a_desk(database, tmp_path, clock=clock, smtp_url="smtp://127.0.0.1:9")
    for _ in range(TRIES + 2):
        assert deliver_due(desk) == 0
        clock.advance(timedelta(minutes=2))
    (letter,) = notifications(database)
    assert (letter.status, letter.tries) == ("QUEUED", 0)
    with post_office() as office:
        assert deliver_due(a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))) == 1


def test_a_server_that_hangs_up_leaves_the_rest_of_the_batch_for_later(
    database: Database, owner: Database, tmp_path: Path
) -> None:
    kitchen = a_kitchen(owner)
    for number in range(3):
        tell_funded(database, kitchen, f"funded-{number}")
    clock = SimulatedClock(NOW)
    with post_office() as office:
        answers = ["250 kept", None]
        office.data = lambda _: answers.pop(0) if answers else "250 kept"
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        assert deliver_due(desk) == 1
        assert [each.tries for each in notifications(database)] == [1, 1, 0]
        clock.advance(timedelta(hours=1))
        assert deliver_due(desk) == 2
        assert len(office.letters) == 3


def test_a_worker_that_dies_after_the_servers_yes_sends_the_same_letter_again(
    database: Database, owner: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_funded(database, a_kitchen(owner))
    clock = SimulatedClock(NOW)
    with post_office() as office:
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        with monkeypatch.context() as death:
            death.setattr("core.processes.letter_delivery._record", _die)
            with pytest.raises(SystemExit):
                deliver_due(desk)
        assert deliver_due(desk) == 0, "the dead worker's claim still stands"
        clock.advance(CLAIMED_FOR)
        assert deliver_due(desk) == 1
        first, second = office.letters
        assert first == second


def _die(*_: object, **__: object) -> None:
    raise SystemExit
