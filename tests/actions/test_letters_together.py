"""Letters that are not urgent go together in one mail, what a party wants is kept to, and what fails is sent again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.actions.cases import mediator_assignment
from core.actions.decisions import corrections
from core.actions.decisions.corrections import CorrectionOutcome
from core.actions.milestones import letters, preferences
from core.actions.milestones.letters import AddressOfStaff, AddressUnusable, LetterNotFailed
from core.actions.payouts import withdrawals
from core.clock import SimulatedClock
from core.db import Database
from core.letters import delivery_rules
from core.letters.delivery_rules import CannotBeMuted, NoSuchKind
from core.money import Money
from core.notifications import tell, tell_staff
from core.policy import DIGEST_MOST, LETTERS_GATHERED_FOR
from core.processes.leases import CLAIMED_FOR
from core.processes.letter_delivery import deliver_due
from core.queries import letters as log
from core.records import LetterPreference, Notification, Party, Payout
from core.rules.notifications import NoSuchFrequency
from core.rules.payouts import NotPaid
from core.rules.permissions import NotPermitted, NotYours
from tests import builders
from tests.builders import Told, Town
from tests.desk_fixtures import a_desk
from tests.parties import NOW, Kitchen, a_kitchen
from tests.recorded import letter
from tests.smtp_server import PostOffice, post_office

Fail = Callable[[bytes], str]


def say(
    database: Database,
    kitchen: Kitchen,
    template: str = "next_milestone_active",
    *,
    key: str,
    to: str = "payee",
    now: datetime = NOW,
    **facts: Any,
) -> Notification:
    def write(session: Session) -> Notification | None:
        tell(
            session,
            template,
            party_id=getattr(kitchen, to),
            project_id=kitchen.project,
            milestone_id=kitchen.milestone,
            key=key,
            now=now,
            **{"amount": "$1,000.00", "total": "$1,000.00", **facts},
        )
        return letter(session, key)

    told = database.run(write)
    assert told is not None
    return told


def rows(database: Database) -> list[Notification]:
    with database.reading() as session:
        return list(session.query(Notification).order_by(Notification.id))


def mails(office: PostOffice) -> list[EmailMessage]:
    return [message_from_bytes(each, policy=policy.default) for each in office.letters]  # type: ignore[misc]


def parts(mail: EmailMessage) -> tuple[str, str]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


def by_smtp(office: PostOffice) -> str:
    return f"smtp://127.0.0.1:{office.port}"


# Together


def test_what_is_not_urgent_waits_and_goes_in_one_mail(
    database: Database, owner: Database, tmp_path: Path, clock: SimulatedClock
) -> None:
    kitchen = a_kitchen(owner, title="Kitchen <b>*x*</b>")
    for number in range(3):
        say(database, kitchen, key=f"next-{number}", now=clock())
        clock.advance(timedelta(minutes=4))
    say(database, kitchen, "project_review_request", key="review", now=clock())
    with post_office() as office:
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        assert deliver_due(desk) == 0
        clock.advance(LETTERS_GATHERED_FOR - timedelta(minutes=12))
        assert deliver_due(desk) == 1, "when the first is due, all go"
        (mail,) = mails(office)
    assert mail["Subject"] == "4 updates about “Kitchen <b>*x*</b>”"
    plain, html = parts(mail)
    assert plain.count("Next milestone: “Cabinets”") == 6  # in the list, and above each letter
    assert "1. Next milestone" in plain
    assert plain.split("\r\n").count("-- ") == 1
    assert (html.count("<h1"), html.count("<h2"), html.count("</html>")) == (1, 4, 1)
    assert "Kitchen &lt;b&gt;*x*&lt;/b&gt;" in html
    assert "<b>" not in html
    kept = rows(database)
    assert {each.mail for each in kept} == {f"letters-{kept[0].id}.desk"}
    assert {(each.status, each.tries) for each in kept} == {("SENT", 1)}


def test_what_is_urgent_goes_at_once_and_alone(
    database: Database, owner: Database, tmp_path: Path, clock: SimulatedClock
) -> None:
    kitchen = a_kitchen(owner)
    say(database, kitchen, key="next")
    say(database, kitchen, "milestone_funded", key="funded")
    with post_office() as office:
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        assert deliver_due(desk) == 1
        assert mails(office)[0]["Subject"] == "“Cabinets” is funded: you can start"
        clock.advance(LETTERS_GATHERED_FOR)
        assert deliver_due(desk) == 1
        assert mails(office)[1]["Subject"] == "Next milestone: “Cabinets”", "alone it keeps its own subject"
    assert [each.mail for each in rows(database)] == ["notification-1.desk", "notification-2.desk"]


def test_a_near_deadline_makes_a_letter_urgent(database: Database, owner: Database) -> None:
    kitchen = a_kitchen(owner)
    near, far = NOW + timedelta(hours=20), NOW + timedelta(days=14)
    for key, until in (("near", near), ("far", far)):
        say(database, kitchen, "project_review_request", key=key, review_until=until)
    assert [(each.urgent, each.next_try_at) for each in rows(database)] == [
        (True, NOW),
        (False, NOW + LETTERS_GATHERED_FOR),
    ]


def test_a_mail_holds_so_many_letters_and_the_next_the_rest(
    database: Database, owner: Database, tmp_path: Path, clock: SimulatedClock
) -> None:
    kitchen = a_kitchen(owner)
    for number in range(DIGEST_MOST + 1):
        say(database, kitchen, key=f"next-{number}")
    clock.advance(LETTERS_GATHERED_FOR)
    with post_office() as office:
        assert deliver_due(a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office)), limit=5) == 2
        subjects = sorted(mail["Subject"] for mail in mails(office))
    assert subjects == [f"{DIGEST_MOST} updates about “New kitchen”", "Next milestone: “Cabinets”"]


def test_several_workers_do_not_tear_a_mail_apart(
    database: Database, owner: Database, tmp_path: Path, clock: SimulatedClock
) -> None:
    kitchens = [a_kitchen(owner) for _ in range(4)]
    for kitchen in kitchens:
        for number in range(5):
            say(database, kitchen, key=f"{kitchen.project}-{number}")
    clock.advance(LETTERS_GATHERED_FOR)
    with post_office() as office:
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        with ThreadPoolExecutor(4) as threads:
            sent = list(threads.map(lambda _: deliver_due(desk, limit=3), range(8)))
        assert sum(sent) == 4
        assert {mail["Subject"] for mail in mails(office)} == {"5 updates about “New kitchen”"}
        assert len({mail["To"] for mail in mails(office)}) == 4


def test_one_address_that_fails_stops_no_other(
    database: Database, owner: Database, tmp_path: Path, clock: SimulatedClock
) -> None:
    for kitchen in (a_kitchen(owner, email="nobody@example.com"), a_kitchen(owner)):
        for number in range(2):
            say(database, kitchen, key=f"{kitchen.project}-{number}")
    clock.advance(LETTERS_GATHERED_FOR)
    with post_office() as office:
        office.recipient = lambda address: "550 unknown" if b"nobody" in address else "250 ok"
        assert deliver_due(a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))) == 1
    assert [each.status for each in rows(database)] == ["FAILED", "FAILED", "SENT", "SENT"]


def test_a_worker_that_is_killed_sends_the_same_mail_again_and_later_letters_in_another(
    database: Database,
    owner: Database,
    tmp_path: Path,
    clock: SimulatedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kitchen = a_kitchen(owner)
    for number in range(2):
        say(database, kitchen, key=f"next-{number}")
    clock.advance(LETTERS_GATHERED_FOR)
    with post_office() as office:
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        with monkeypatch.context() as death:
            death.setattr("core.processes.letter_delivery._record", _die)
            with pytest.raises(SystemExit):
                deliver_due(desk)
        say(database, kitchen, key="later", now=clock() - LETTERS_GATHERED_FOR)
        assert deliver_due(desk) == 1, "only the later letter: the claim on the others stands"
        clock.advance(CLAIMED_FOR)
        assert deliver_due(desk) == 1
        first, later, again = office.letters
    assert first == again
    assert message_from_bytes(later)["Message-ID"] != message_from_bytes(first)["Message-ID"]
    assert [each.status for each in rows(database)] == ["SENT"] * 3


def _die(*_: object, **__: object) -> None:
    raise SystemExit


# What a party wants


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def choose(town: Town, **wanted: Any) -> LetterPreference:
    return town.act(preferences.set, town.payee, party_id=town.payee_id, **wanted)


def test_a_muted_letter_is_kept_and_never_sent(
    town: Town, database: Database, tmp_path: Path, clock: SimulatedClock
) -> None:
    choose(town, muted=["next_milestone_active"])
    told = builders.funded(town)
    kitchen = Kitchen(town.payer_id, town.payee_id, told.project, told.milestone)
    say(database, kitchen, key="muted")
    (muted,) = [each for each in rows(database) if each.key == "muted"]
    assert (muted.status, muted.mail) == ("MUTED", None)
    clock.set(NOW + timedelta(days=30))
    deliver_due(a_desk(database, tmp_path, clock=clock))
    (row,) = [
        each for each in town.read(lambda s: log.about(s, "milestone", told.milestone)) if each.id == muted.id
    ]
    assert (row.status, row.reader, row.kind) == ("MUTED", "Ben Okafor", "Next milestone is coming")


def test_what_the_rules_ask_for_cannot_be_muted_and_the_reason_is_said(town: Town) -> None:
    kept = {name: each for name, each in delivery_rules.HANDLING.items() if each.kept is not None}
    for name, each in kept.items():
        with pytest.raises(CannotBeMuted, match=each.kept):
            choose(town, muted=[name])
    assert town.read(lambda session: session.get(LetterPreference, town.payee_id)) is None
    assert kept.keys() >= {"decision_full_refund", "refund_sent", "dispute_opened", "verification_reminder"}
    assert set(delivery_rules.MUTABLE) == {"next_milestone_active", "project_review_request", "thanks"}


def test_only_the_party_chooses_and_only_what_there_is(town: Town) -> None:
    for actor in (town.payer, town.as_staff("ada")):
        with pytest.raises(NotYours):
            town.act(preferences.set, actor, party_id=town.payee_id, frequency="DAILY")
    with pytest.raises(NoSuchKind, match="gossip"):
        choose(town, muted=["gossip"])
    with pytest.raises(NoSuchFrequency):
        choose(town, frequency="HOURLY")


def test_what_was_chosen_is_in_the_log_with_what_it_was_before(town: Town) -> None:
    choose(town, frequency="DAILY")
    choose(town, frequency="WEEKLY", muted=["thanks", "thanks"])
    found = text(
        "select before, after from audit_entries where action = 'party:preferences:set' order by id desc limit 1"
    )
    before, after = town.read(lambda session: session.execute(found).one())
    assert before == {"frequency": "DAILY", "muted": []}
    assert after == {"frequency": "WEEKLY", "muted": ["thanks"]}


def test_a_daily_reader_gets_one_mail_a_day_and_what_is_urgent_at_once(
    town: Town, database: Database, tmp_path: Path
) -> None:
    choose(town, frequency="DAILY")
    told = builders.funded(town)
    kitchen = Kitchen(town.payer_id, town.payee_id, told.project, told.milestone)
    clock = SimulatedClock(town.now)
    with post_office() as office:
        desk = a_desk(database, tmp_path, clock=clock, smtp_url=by_smtp(office))
        say(database, kitchen, key="one", now=clock())
        deliver_due(desk)
        urgent = [mail["Subject"] for mail in mails(office) if "Ben" in mail["To"]]
        assert [each.endswith("is funded: you can start") for each in urgent] == [True]
        clock.set(town.now.replace(hour=14, minute=0))
        deliver_due(desk)
        daily = [mail["Subject"] for mail in mails(office) if "Ben" in mail["To"]][1:]
    assert daily == ["3 updates about “New kitchen”"]


# What could not be delivered


def failing(town: Town, tmp_path: Path, said: str = "550 unknown") -> tuple[int, SimulatedClock]:
    """A letter to the payer was refused for ever."""
    told = builders.funded(town)
    clock = SimulatedClock(town.now)
    with post_office() as office:
        office.recipient = lambda _: said
        deliver_due(a_desk(town.database, tmp_path, clock=clock, smtp_url=by_smtp(office)))
    waiting = town.read(lambda session: log.undelivered(session, now=town.now))
    failed = [each for each in waiting if each.party_id == town.payer_id]
    assert failed
    assert failed[0].project_id == told.project
    return failed[-1].id, clock


def test_a_letter_that_failed_for_ever_is_sent_again_as_a_mail_of_its_own(town: Town, tmp_path: Path) -> None:
    number, clock = failing(town, tmp_path)
    assert town.read(lambda session: log.not_delivered(session, now=town.now)).failed == 2
    assert town.act(letters.send_again, town.as_staff("mia"), notification_id=number) == 1
    with post_office() as office:
        assert deliver_due(a_desk(town.database, tmp_path, clock=clock, smtp_url=by_smtp(office))) == 1
        (mail,) = mails(office)
    sheet = town.read(lambda session: log.letter(session, number))
    assert (sheet.row.status, sheet.row.tries) == ("SENT", 1)
    assert sheet.row.mail is not None
    assert sheet.row.mail in mail["Message-ID"]
    assert sheet.row.mail != f"notification-{number}.test"
    plain = " ".join(parts(mail)[0].split())
    body, _, footer = " ".join(sheet.text.split()).partition(" -- ")
    assert footer in plain
    assert body.removeprefix(sheet.row.subject).strip() in plain
    assert f"{sheet.row.subject} Hello Ana Lindqvist, " in plain
    assert "Reference: milestone M-" in plain
    assert "If you have questions, write to payments@localhost." in plain
    with pytest.raises(LetterNotFailed):
        town.act(letters.send_again, town.as_staff("mia"), notification_id=number)


def test_a_corrected_address_gets_everything_that_failed_and_the_log_does_not_name_it(
    town: Town, tmp_path: Path
) -> None:
    number, clock = failing(town, tmp_path)
    town.act(letters.send_again, town.as_staff("cora"), notification_id=number, address="ana@example.org")
    with post_office() as office:
        deliver_due(a_desk(town.database, tmp_path, clock=clock, smtp_url=by_smtp(office)))
        assert {mail["To"].addresses[0].addr_spec for mail in mails(office)} == {"ana@example.org"}
    assert town.read(lambda session: session.get_one(Party, town.payer_id).email) == "ana@example.org"
    entries = text("select action, after::text || coalesce(reason, '') as said from audit_entries")
    said = town.read(lambda session: session.execute(entries).all())
    assert "staff:party:correct_address" in {each.action for each in said}
    assert not [each for each in said if each.said and "ana@example.org" in each.said]


@pytest.mark.parametrize(
    "address", ["ana", "ana@", "@example.org", "a b@example.org", "a@b\nBcc: c@d", "ä ö@b.org", "ana@ö..org"]
)
def test_an_address_that_cannot_be_one_is_refused(town: Town, tmp_path: Path, address: str) -> None:
    number, _ = failing(town, tmp_path)
    with pytest.raises(AddressUnusable):
        town.act(letters.send_again, town.as_staff("cora"), notification_id=number, address=address)
    assert town.read(lambda session: log.letter(session, number)).row.status == "FAILED"


def test_who_may_send_again_may_not_always_correct_an_address(town: Town, tmp_path: Path) -> None:
    number, _ = failing(town, tmp_path)
    for subject in ("mia", "fay"):
        with pytest.raises(NotPermitted):
            town.act(
                letters.send_again, town.as_staff(subject), notification_id=number, address="a@example.org"
            )
    with pytest.raises(NotPermitted):
        town.act(letters.send_again, town.payer, notification_id=number)


def test_a_letter_to_a_colleague_is_sent_again_to_the_address_that_administrators_keep(
    town: Town, tmp_path: Path
) -> None:
    told = builders.funded(town)
    tell_of_a_review(town, told)
    with post_office() as office:
        office.recipient = lambda _: "550 unknown"
        deliver_due(a_desk(town.database, tmp_path, clock=SimulatedClock(town.now), smtp_url=by_smtp(office)))
    (letter,) = [each for each in rows(town.database) if each.staff_id is not None]
    again = partial(town.act, letters.send_again, notification_id=letter.id)
    with pytest.raises(AddressOfStaff):
        again(town.as_staff("cora"), address="cora@example.org")
    assert again(town.as_staff("cora")) == 1
    assert town.read(lambda session: log.letter(session, letter.id)).row.status == "QUEUED"


# The log of an object, staff, and the database


def test_the_log_of_a_case_has_the_letters_of_its_decision(town: Town) -> None:
    told = builders.in_mediation(town)
    decision = builders.decided(town, told)
    of_case = town.read(lambda session: log.about(session, "ticket", told.case))
    of_decision = town.read(lambda session: log.about(session, "decision", decision.id))
    assert {each.kind for each in of_decision} == {"Decision: full release"}
    assert {each.id for each in of_decision} < {each.id for each in of_case}
    assert {each.kind for each in of_case} >= {"Dispute opened", "Mediator at work", "Case given to you"}
    builders.carry_out(town)
    (paid,) = town.read(lambda session: log.about(session, "payout", 1))
    assert paid.kind == "Payment on its way to your bank"


def test_staff_read_numbers_and_amounts_and_no_names(town: Town) -> None:
    told = builders.in_mediation(town, mediator=None)
    (letter,) = [each for each in rows(town.database) if each.template == "case_assigned"]
    assert letter.staff_id in (town.staff["mia"], town.staff["max"])
    assert f"D-{told.case}" in letter.subject
    assert not [word for word in ("Lindqvist", "Okafor", "New kitchen", "worktop") if word in letter.text]


def test_the_database_keeps_one_reader_and_a_mail_for_what_was_sent(owner: Database) -> None:
    kitchen = a_kitchen(owner)
    say(owner, kitchen, key="one")
    for change in ("staff_id = 1", "party_id = null", "status = 'SENT'", "about_kind = 'ticket'"):
        with pytest.raises(IntegrityError), owner.transaction() as session:
            session.execute(text(f"update notifications set {change}"))


def tell_of_a_review(town: Town, told: Told) -> None:
    """A letter to a colleague in compliance, written in the name of a review."""
    town.database.run(
        lambda session: tell_staff(
            session,
            "review_opened",
            staff_ids=[town.staff["cora"]] * 2,
            project_id=told.project,
            milestone_id=told.milestone,
            about=("review", 1),
            key="review-1",
            now=NOW,
            amount="$1.00",
            review="V-1",
            reasons="high value",
        )
    )


def test_staff_are_told_the_same_thing_once(town: Town) -> None:
    told = builders.funded(town)
    for _ in range(2):
        tell_of_a_review(town, told)
    assert (
        len([each for each in rows(town.database) if each.key == f"review-1-staff-{town.staff['cora']}"]) == 1
    )


def told_staff(town: Town, template: str) -> set[str]:
    names = {number: name for name, number in town.staff.items()}
    return {names[each.staff_id or 0] for each in rows(town.database) if each.template == template}


def test_compliance_is_told_of_a_review_when_it_is_opened(town: Town) -> None:
    builders.funded(town, total=Money(20_000_000, "USD"))
    assert told_staff(town, "review_opened") == {"cora"}


def test_finance_is_told_of_a_payout_that_came_back_and_the_payee_what_happens_next(town: Town) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    (payout,) = town.read(lambda session: session.query(Payout).all())
    town.database.run(
        lambda session: withdrawals.report_failure(
            session,
            session.get_one(Payout, payout.id),
            NotPaid.CAME_BACK,
            now=town.now,
            said="The bank account has been closed.",
            operation_key="payout",
        )
    )
    assert told_staff(town, "payout_to_review") == {"fay"}
    failed = [each for each in town.read(lambda s: log.about(s, "payout", payout.id)) if each.side == "PAYEE"]
    assert {each.kind for each in failed} == {
        "Payment on its way to your bank",
        "Payment came back from your bank",
    }


def test_who_takes_a_case_is_not_written_to_and_who_is_given_one_is(town: Town) -> None:
    told = builders.in_mediation(town, mediator="mia")
    before = len([each for each in rows(town.database) if each.template == "case_assigned"])
    town.act(mediator_assignment.assign, town.as_staff("max"), case_id=told.case, staff_id=town.staff["max"])
    assert len([each for each in rows(town.database) if each.template == "case_assigned"]) == before
    town.wait(hours=1)
    town.act(mediator_assignment.assign, town.as_staff("max"), case_id=told.case, staff_id=town.staff["mia"])
    assert [each.staff_id for each in rows(town.database) if each.template == "case_assigned"][before:] == [
        town.staff["mia"]
    ]


@pytest.mark.parametrize(
    ("finding", "said"),
    [(CorrectionOutcome.UPHELD, "stands as it was"), (CorrectionOutcome.CORRECTED, "corrected")],
)
def test_both_parties_hear_that_a_decision_is_looked_at_again_and_what_came_of_it(
    town: Town, finding: CorrectionOutcome, said: str
) -> None:
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    again = town.act(
        corrections.open_correction,
        town.as_staff("max"),
        case_id=told.case,
        reason="A message was overlooked.",
    )
    closing = {"case_id": again.id, "finding": finding, "notes": "Looked at in full."}
    town.act(corrections.close_correction, town.as_staff("max"), **closing)
    letters_about = town.read(lambda session: log.about(session, "ticket", again.id))
    to_parties = [each for each in letters_about if each.side != "STAFF"]
    assert sorted((each.side, each.kind) for each in to_parties) == [
        (side, kind)
        for side in ("PAYEE", "PAYER")
        for kind in ("Decision looked at again", "Decision was looked at again")
    ]
    newest = town.read(lambda session: log.letter(session, to_parties[0].id))
    assert said in " ".join(newest.text.split())
    assert "in full" not in newest.text
