"""Importing bank statements: all or nothing, the same line once, and every refusal one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions.bank_statements import accounts, files, imports, mappings, stripe_reports
from core.actions.bank_statements.files import ImportedElsewhere
from core.actions.bank_statements.imports import Import
from core.actions.platform import opening_balances
from core.audit import content_comparison
from core.db import Database
from core.demo import bank_files
from core.demo.bank_files import DemoLine, DemoStatement
from core.errors import DeskError
from core.gateways.evidence_store import EvidenceStore
from core.money import Money, UnknownCurrency
from core.queries import bank_statements, invariants, search
from core.records import BankLine, BankStatement, BankStatementFile, StatementLine
from core.rules.bank_statements import days
from core.rules.permissions import SYSTEM, Actor, NotPermitted, Role

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
OPERATOR = Actor("operator", None, via="anna on desk-1")
IBAN = "NL26VAYB8060476890"
FIRST = date(2026, 9, 1)


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def sheet(
    first: int, last: int, opening: int, *entries: tuple[int, int, str], reference: str = ""
) -> DemoStatement:
    """Of some days of September; entries are (day, minor units, text)."""
    told = [DemoLine(date(2026, 9, day), euros(minor), "", "", words) for day, minor, words in entries]
    name = reference or f"S{first}-{last}"
    return DemoStatement(IBAN, name, euros(opening), date(2026, 9, first), date(2026, 9, last), told)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.reading() as session:  # thrown away
        accounts.register(
            session,
            OPERATOR,
            now=NOW,
            code="main",
            name="Main",
            currency="EUR",
            identifier="NL26 VAYB 8060 4768 90",
        )
        yield session


def take(session: Session, content: bytes, **also: Any) -> Import:
    chosen = {"code": "main", "file": "a.sta", "store": None, "now": NOW} | also
    return imports.take(session, OPERATOR, content=content, **chosen)


def refused(session: Session, content: bytes, **also: Any) -> str:
    there = session.scalars(select(BankLine.id)).all()
    with pytest.raises(DeskError) as problem, session.begin_nested():
        take(session, content, **also)
    assert session.scalars(select(BankLine.id)).all() == there
    return problem.value.message


def counted(session: Session) -> list[tuple[int, int, str]]:
    """The lines that count, by day, amount and text."""
    wanted = select(BankLine).where(BankLine.repeats_id.is_(None)).order_by(BankLine.booked_on, BankLine.id)
    return [(row.booked_on.day, row.amount_minor, row.text) for row in session.scalars(wanted)]


# What comes in


@pytest.mark.parametrize("write", [bank_files.camt053, bank_files.mt940])
def test_two_statements_of_one_file_go_on_from_each_other(session: Session, write: Any) -> None:
    one, two = sheet(1, 1, 1815, (1, 885, "In")), sheet(1, 1, 2700, (1, -700, "Out"), reference="S2")
    done = take(session, write(one, two))
    assert [(each.opening.minor, each.closing.minor) for each in done.statements] == [
        (1815, 2700),
        (2700, 2000),
    ]
    assert done.said == ()
    assert counted(session) == [(1, 885, "In"), (1, -700, "Out")]


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    content = bank_files.mt940(sheet(1, 3, 0, (2, 500, "A")))
    take(session, content)
    again = take(session, content, now=NOW + timedelta(days=1))
    assert again.before == NOW
    assert again.statements == ()
    assert len(session.scalars(select(BankStatementFile)).all()) == 1


def test_the_same_file_for_another_account_is_refused(session: Session) -> None:
    """It was called imported, and the other account had nothing of it."""
    accounts.register(
        session, OPERATOR, now=NOW, code="dollars", name="D", currency="USD", identifier="9876543"
    )
    content = bank_files.mt940(sheet(1, 3, 0, (2, 500, "A")))
    take(session, content)
    message = refused(session, content, code="dollars")
    assert (
        message
        == "a.sta was imported on 30 Sep 2026 for main, so it is not imported for dollars too. Nothing was imported."
    )
    with pytest.raises(ImportedElsewhere):
        stripe_reports.take(session, OPERATOR, now=NOW, file="a.sta", content=content, store=None)


@pytest.mark.parametrize("more", [b"\n", b"\r\n \r\n"])
@pytest.mark.parametrize("write", [bank_files.camt053, bank_files.mt940])
def test_a_statement_that_is_there_is_known_again_in_another_file_and_nothing_is_kept(
    session: Session, write: Any, more: bytes
) -> None:
    both = (
        sheet(1, 1, 0, (1, 500, "A"), (1, 500, "A")),
        sheet(1, 1, 1000, (1, 500, "A"), (1, -500, "B"), reference="S2"),
    )
    first = take(session, write(*both))
    again = take(session, write(*both) + more)
    assert [each.id for each in again.known] == [each.id for each in first.statements]
    assert (again.nothing_new, again.lines, again.repeated, again.before) == (True, 4, 4, None)
    number = f"BS-{first.statements[0].id}"
    assert again.said[0] == f"The statement of 1 Sep 2026 is already imported as statement {number}."
    assert len(session.scalars(select(BankStatement)).all()) == 2
    assert len(session.scalars(select(BankStatementFile)).all()) == 1
    assert len(counted(session)) == 4


def test_a_statement_without_lines_is_new_on_another_day_or_with_another_number(session: Session) -> None:
    take(session, bank_files.camt053(sheet(1, 1, 500)))
    again = take(session, bank_files.camt053(sheet(1, 1, 500)) + b"\n")
    assert again.nothing_new
    for other in (sheet(2, 2, 500), sheet(1, 1, 500, reference="S2")):
        assert not take(session, bank_files.camt053(other)).known
    assert len(session.scalars(select(BankStatement)).all()) == 3


def test_a_file_with_a_statement_that_is_there_and_a_new_one_keeps_the_new_one(session: Session) -> None:
    old, new = sheet(1, 1, 0, (1, 500, "A")), sheet(2, 2, 500, (2, 700, "B"))
    take(session, bank_files.mt940(old))
    done = take(session, bank_files.mt940(old, new))
    assert ([each.lines for each in done.known], [each.lines for each in done.statements]) == ([1], [1])
    assert (done.nothing_new, done.lines - done.repeated) == (False, 1)
    assert counted(session) == [(1, 500, "A"), (2, 700, "B")]
    kept = session.scalars(select(BankStatement).order_by(BankStatement.id.desc())).first()
    assert kept is not None
    assert kept.number == 2, "its place in the file"


def test_another_line_on_the_same_days_is_another_statement(session: Session) -> None:
    """The same sum of other lines: the two contradict each other."""
    take(session, bank_files.mt940(sheet(1, 3, 0, (2, 500, "A"), (2, 700, "B"))))
    other = bank_files.mt940(sheet(1, 3, 0, (2, 600, "A"), (2, 600, "B")))
    assert "stands in this one only" in refused(session, other)


def test_a_csv_that_is_taken_again_with_a_blank_line_is_known_again(session: Session) -> None:
    mappings.save(session, OPERATOR, now=NOW, name="bank", definition=NAMED)
    content = csv("2026-09-01,5.00,A", "2026-09-02,7.00,B")
    first = take(session, content, file="a.csv", mapping="bank", opening="10.00")
    again = take(session, content + b"\n", file="b.csv", mapping="bank")
    assert [each.id for each in again.known] == [each.id for each in first.statements]
    assert len(session.scalars(select(BankStatement)).all()) == 1


def test_equal_lines_of_one_day_stay_two_across_statements_that_overlap(session: Session) -> None:
    take(session, bank_files.mt940(sheet(1, 3, 0, (2, 500, "A"), (3, 500, "A"))))
    done = take(session, bank_files.mt940(sheet(3, 5, 500, (3, 500, "A"), (3, 500, "A"), (5, 7, "B"))))
    assert done.repeated == 1
    assert counted(session) == [(2, 500, "A"), (3, 500, "A"), (3, 500, "A"), (5, 7, "B")]
    assert "1 of 3 lines were imported before; they are not counted again." in done.said


def test_equal_lines_of_one_day_in_two_statements_that_go_on_are_two(session: Session) -> None:
    take(session, bank_files.mt940(sheet(2, 2, 0, (2, 500, "A"))))
    done = take(session, bank_files.mt940(sheet(2, 2, 500, (2, 500, "A"), reference="S2")))
    assert done.repeated == 0
    assert counted(session) == [(2, 500, "A"), (2, 500, "A")]


LINES = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([-500, 500, 700]), st.sampled_from(["A", "B"])), max_size=14
)


@given(
    LINES,
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5)), min_size=1, max_size=5),
    st.sampled_from([bank_files.mt940, bank_files.camt053]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_statements_overlap_each_line_counts_once(
    session: Session, lines: list[tuple[int, int, str]], spans: list[tuple[int, int]], write: Any
) -> None:
    """Any statements of whole days, in any order: what counts is what the bank booked on the days that they cover."""
    lines = sorted(lines)
    covered: set[int] = set()
    with session.begin_nested() as attempt:
        for number, (first, length) in enumerate(spans):
            last = first + length
            opening = sum(minor for day, minor, _ in lines if day < first)
            mine = [each for each in lines if first <= each[0] <= last]
            take(session, write(sheet(first, last, opening, *mine, reference=f"N{number}")))
            covered |= set(range(first, last + 1))
        assert Counter(counted(session)) == Counter(each for each in lines if each[0] in covered)
        attempt.rollback()


def test_a_gap_is_told_and_closes_when_the_statement_comes(session: Session) -> None:
    take(session, bank_files.mt940(sheet(1, 3, 0, (2, 500, "A"))))
    late = take(session, bank_files.mt940(sheet(10, 12, 800, (11, 5, "C"))))
    assert "A statement is missing: between 3 Sep 2026 and 11 Sep 2026" in late.said[0]
    assert "€3.00" in late.said[0]
    assert bank_statements.accounts(session)[0].gaps == 1
    between = take(session, bank_files.mt940(sheet(4, 9, 500, (5, 300, "B"))))
    assert between.said == ()
    assert bank_statements.accounts(session)[0].gaps == 0


def test_the_file_is_kept_as_it_came(database: Database, tmp_path: Path) -> None:
    store, content = EvidenceStore(tmp_path), bank_files.mt940(sheet(1, 3, 0, (2, 500, "A")))
    with database.transaction() as session:
        accounts.register(session, OPERATOR, now=NOW, code="main", name="M", currency="EUR", identifier=IBAN)
        take(session, content, store=store, file="../../state<ment>.sta")
    with database.transaction() as session:
        row = session.scalars(select(BankStatementFile)).one()
        mediator = Actor("staff", 7, frozenset({Role.MEDIATOR}))
        auditor = Actor("staff", 7, frozenset({Role.COMPLIANCE}), via="test")
        with pytest.raises(NotPermitted):
            files.download(session, mediator, now=NOW, store=store, file_id=row.id)
        name, bytes_kept = files.download(session, auditor, now=NOW, store=store, file_id=row.id)
    assert (name, bytes_kept) == ("state_ment_.sta", content)
    with database.reading() as session:
        assert content_comparison.compare(session)[0] == []
        assert [each.name for each in invariants.run(session) if not each.holds] == []


def test_a_dry_run_leaves_nothing(database: Database, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    with database.transaction() as session:
        accounts.register(session, OPERATOR, now=NOW, code="main", name="M", currency="EUR", identifier=IBAN)
    with database.reading() as session:
        assert take(session, bank_files.mt940(sheet(1, 3, 0, (2, 500, "A")))).lines == 1
    with database.reading() as session:
        assert session.scalars(select(BankStatement)).all() == []
    assert not (tmp_path / "evidence").exists()
    assert store


def test_a_line_is_found_by_what_the_bank_calls_it(session: Session) -> None:
    entry = DemoLine(FIRST, euros(5), "NTRF26090001", "Stripe", "Payout")
    done = take(session, bank_files.camt053(DemoStatement(IBAN, "S", euros(0), FIRST, FIRST, [entry])))
    finance = Actor("staff", 1, frozenset({Role.FINANCE}))
    for words in ("NTRF26090001", f"BS-{done.statements[0].id}"):
        (hit,) = search.search(session, finance, words, now=NOW).hits
        assert (hit.reference, hit.amount) == (f"BS-{done.statements[0].id}", euros(5))
    assert (
        search.search(session, Actor("staff", 1, frozenset({Role.MEDIATOR})), "NTRF26090001", now=NOW).hits
        == ()
    )


# CSV


NAMED = {"booked_on": "Day", "amount": "Amount", "texts": ["Text"]}


def csv(*rows: str) -> bytes:
    return "\n".join(["Day,Amount,Text", *rows, ""]).encode()


def test_a_csv_without_balances_goes_on_from_what_is_there(session: Session) -> None:
    mappings.save(session, OPERATOR, now=NOW, name="bank", definition=NAMED)
    first = csv("2026-09-01,5.00,A", "2026-09-02,7.00,B")
    assert "Give the opening balance" in " ".join(refused(session, first, mapping="bank").split())
    done = take(session, first, mapping="bank", opening="-3.00")
    assert (done.statements[0].opening.minor, done.statements[0].closing.minor) == (-300, 900)
    overlapping = take(session, csv("2026-09-02,7.00,B", "2026-09-03,1.00,C"), mapping="bank")
    assert (overlapping.statements[0].opening.minor, overlapping.statements[0].closing.minor) == (200, 1000)
    following = take(session, csv("2026-09-05,2.00,D"), mapping="bank")
    assert (following.statements[0].opening.minor, following.statements[0].closing.minor) == (1000, 1200)
    assert [each[2] for each in counted(session)] == ["A", "B", "C", "D"]


def test_a_csv_without_balances_contradicts_no_day_that_is_there(session: Session) -> None:
    mappings.save(session, OPERATOR, now=NOW, name="bank", definition=NAMED)
    take(session, csv("2026-09-01,5.00,A", "2026-09-02,7.00,B"), mapping="bank", opening="0.00")
    made_up = csv("2026-09-02,-77.00,Made up", "2026-09-03,-1.00,C")
    message = refused(session, made_up, mapping="bank")
    assert "2 Sep 2026 is in a statement that was imported before" in message
    assert "give the opening balance of €12.00" in message
    assert "off by" in refused(session, made_up, mapping="bank", opening="3.00")
    rest_of_the_day = csv("2026-09-02,-2.00,Later that day")
    done = take(session, rest_of_the_day, mapping="bank", opening="12.00")
    assert (done.statements[0].opening.minor, done.statements[0].closing.minor) == (1200, 1000)


def ofx(since: int, until: int, closing: str, *entries: tuple[int, str]) -> bytes:
    """Of some days of September, with a closing balance alone; entries are (day, amount)."""
    lines = "".join(
        f"<STMTTRN><DTPOSTED>202609{day:02}<TRNAMT>{amount}<FITID>F{day}</STMTTRN>" for day, amount in entries
    )
    return (
        f"OFXHEADER:100\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>{IBAN}"
        f"</BANKACCTFROM><BANKTRANLIST><DTSTART>202609{since:02}<DTEND>202609{until:02}{lines}</BANKTRANLIST>"
        f"<LEDGERBAL><BALAMT>{closing}<DTASOF>202609{until:02}</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    ).encode()


def test_of_a_closing_balance_alone_the_opening_one_is_computed_and_said(session: Session) -> None:
    (done,) = take(session, ofx(1, 3, "12.00", (1, "5.00"), (2, "4.00"))).statements
    assert (done.first_on.day, done.last_on.day, done.opening, done.closing) == (
        1,
        3,
        euros(300),
        euros(1200),
    )
    assert done.said == ("The file states no opening balance; it is the closing balance less the lines.",)


def test_a_period_that_its_lines_do_not_lie_in_is_not_believed(session: Session) -> None:
    (done,) = take(session, ofx(4, 6, "9.00", (2, "5.00"), (8, "4.00"))).statements
    assert (done.first_on.day, done.last_on.day) == (2, 8)
    assert (
        "The file calls this the statement of 4 Sep 2026 to 6 Sep 2026, and its lines are of other days."
        in done.said
    )


def test_a_mapping_is_kept_in_versions(session: Session) -> None:
    first = mappings.save(session, OPERATOR, now=NOW, name="bank", definition=NAMED)
    same = mappings.save(session, OPERATOR, now=NOW, name="bank", definition=NAMED)
    second = mappings.save(session, OPERATOR, now=NOW, name="bank", definition=NAMED | {"decimal": ","})
    assert (first.version, same.version, second.version) == (1, 1, 2)
    assert mappings.named(session, "bank").version == 2
    sample = csv('2026-09-01,"5,25",A')
    tried = mappings.tried(
        OPERATOR, definition=second.definition, currency="EUR", file="a.csv", content=sample
    )
    assert [each.amount for each in tried] == [525]


@pytest.mark.parametrize(
    ("definition", "what"),
    [
        ({}, "booking date"),
        ({"booked_on": "Day"}, "column of the amount"),
        ({"booked_on": "Day", "credit": "In"}, "two columns"),
        (NAMED | {"direction": "D/C"}, "words that mean a debit"),
        (NAMED | {"date_format": "%c"}, "one of the formats"),
        (NAMED | {"grouping": "."}, "another mark than decimals"),
        (NAMED | {"header_line": 0}, "first 100 lines"),
        (NAMED | {"encoding": "rot13"}, "not one that this desk reads"),
        (NAMED | {"shell": "rm"}, "no field “shell”"),
        (NAMED | {"brackets": "yes"}, "is a text"),
        (NAMED | {"amount": 7}, "is a text"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(
    session: Session, definition: dict[str, Any], what: str
) -> None:
    with pytest.raises(DeskError) as problem:
        mappings.save(session, OPERATOR, now=NOW, name="bank", definition=definition)
    assert what in problem.value.message


# What is refused

ONE = (2, 500, "A")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (DemoStatement("DE00123456781020304050", "S", euros(0), FIRST, FIRST, []), ["account DE00", "main is NL26"]),
        (DemoStatement(IBAN, "S", Money(0, "USD"), FIRST, FIRST, []), ["in USD", "main is in EUR"]),
        (DemoStatement(IBAN, "S", euros(0), FIRST, FIRST, [DemoLine(date(2062, 5, 3), euros(5))]), ["3 May 2062"]),
    ],
)  # fmt: skip
def test_a_statement_that_is_not_ours_is_refused(
    session: Session, written: DemoStatement, words: list[str]
) -> None:
    message = refused(session, bank_files.mt940(written))
    assert [each for each in words if each not in message] == [], message


def test_entries_that_are_not_booked_yet_are_left_out_and_told(session: Session) -> None:
    sheet = DemoStatement(
        IBAN, "S", euros(7), FIRST, FIRST, [DemoLine(FIRST, euros(5)), DemoLine(FIRST, euros(-5))]
    )
    content = bank_files.camt053(sheet).replace(b"<Cd>BOOK</Cd>", b"PDNG")
    done = take(session, content)
    assert [(each.lines, each.closing) for each in done.statements] == [(0, euros(7))]
    assert "2 entries are not booked yet and were left out." in done.said


def test_nothing_is_older_than_the_first_day_of_the_desk(session: Session) -> None:
    sheet = DemoStatement(IBAN, "S", euros(0), FIRST, FIRST, [DemoLine(date(1999, 12, 31), euros(5))])
    assert "31 Dec 1999 is before this desk's first day" in refused(session, bank_files.camt053(sheet))


def test_a_statement_that_runs_into_a_later_one_agrees_with_its_opening_balance(session: Session) -> None:
    """Whichever of two overlapping statements is imported first, they contradict each other or they do not."""
    take(session, bank_files.camt053(sheet(5, 8, 700, (6, 5, "C"))))
    message = refused(session, bank_files.camt053(sheet(1, 5, 0, (2, 500, "A"), (5, 7, "B"))))
    assert "goes on with €5.00 on 5 Sep 2026" in message
    assert "opens with €7.00: off by -€2.00" in message
    take(session, bank_files.camt053(sheet(1, 5, 0, (2, 700, "A"))))


def test_a_statement_of_before_the_opening_balance_is_refused(session: Session) -> None:
    """Its year is wrong, or what it says lies in the opening balance: nothing of it could be matched."""
    opened = datetime(2026, 9, 3, tzinfo=UTC)
    opening_balances.book(session, SYSTEM, now=opened, account="bank", amount=euros(500))
    message = refused(session, bank_files.camt053(sheet(1, 2, 0, (2, 500, "A"))))
    assert "2 Sep 2026 is before the books of" in message
    assert "begin on 3 Sep 2026" in message
    take(session, bank_files.camt053(sheet(2, 3, 0, (2, 500, "A"))))


RUNNING = NAMED | {"balance": "Balance"}


def running(*rows: str) -> bytes:
    return "\n".join(["Day,Amount,Text,Balance", *rows, ""]).encode()


def test_a_refusal_names_the_line_that_holds_the_fault(session: Session) -> None:
    """The balance that the file opens with stands on its first line, or on its last where the newest come first."""
    mappings.save(session, OPERATOR, now=NOW, name="bank", definition=RUNNING)
    mappings.save(session, OPERATOR, now=NOW, name="newest", definition=RUNNING | {"newest_first": True})
    take(session, running("2026-09-01,5.00,A,5.00"), mapping="bank", opening="0.00")
    two = ("2026-09-02,1.00,B,7.00", "2026-09-03,1.00,C,8.00")
    assert "a.sta, line 2: the statement opens with" in refused(session, running(*two), mapping="bank")
    assert "a.sta, line 3: the statement opens" in refused(session, running(*two[::-1]), mapping="newest")
    mt940 = refused(session, bank_files.mt940(sheet(2, 3, 600, (2, 5, "B"))))
    camt = refused(session, bank_files.camt053(sheet(2, 3, 600, (2, 5, "B"))))
    assert ("line 4: the statement opens" in mt940, "(Bal): the statement opens" in camt) == (True, True), (
        mt940
    )


def test_a_line_that_an_earlier_statement_does_not_have_is_named_by_its_own_place(session: Session) -> None:
    mappings.save(session, OPERATOR, now=NOW, name="bank", definition=RUNNING)
    there = ("2026-09-01,5.00,A,5.00", "2026-09-02,1.00,B,6.00")
    take(session, running(*there), mapping="bank", opening="0.00")
    more = running(there[0], "2026-09-01,0.07,New,5.07", "2026-09-01,-0.07,Gone,5.00", there[1])
    message = refused(session, more, mapping="bank")
    assert "a.sta, line 3: for the days until" in message
    assert "€0.07 of 1 Sep 2026 stands in this one only" in message


def test_a_mapping_has_a_name_that_a_command_can_say(session: Session) -> None:
    with pytest.raises(mappings.MappingNameUnfit):
        mappings.save(session, OPERATOR, now=NOW, name="My bank!", definition=NAMED)


def test_one_day_is_said_once() -> None:
    assert days(FIRST, FIRST) == "1 Sep 2026"
    assert days(FIRST, FIRST + timedelta(days=1)) == "1 Sep 2026 to 2 Sep 2026"


def test_balances_that_do_not_add_up_are_refused_with_the_difference(session: Session) -> None:
    content = bank_files.camt053(sheet(1, 1, 1815, (1, 885, "A"))).replace(b"27.00", b"27.05")
    message = refused(session, content)
    assert "€18.15" in message
    assert "closing balance is €27.05: off by €0.05" in message


def test_a_bad_second_statement_takes_the_first_with_it(session: Session) -> None:
    good, bad = sheet(1, 1, 0, (1, 5, "A")), bank_files.mt940(sheet(2, 2, 5, (2, 7, "B")))
    assert "off by" in refused(session, bank_files.mt940(good) + bad.replace(b"C0,07", b"C0,08"))
    assert session.scalars(select(BankStatementFile)).all() == []


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (sheet(4, 5, 501, (4, 5, "B")), ["opens with €5.01 on 4 Sep 2026", "closes with €5.00", "off by €0.01"]),
        (sheet(3, 5, 600, (3, 5, "B")), ["opens with €6.00", "says €5.00", "off by €1.00"]),
        (sheet(1, 5, 0, (2, 500, "A"), (2, 1, "New"), (2, -1, "Gone")), ["€0.01 of 2 Sep", "in this one only"]),
        (sheet(1, 5, 0, (4, 500, "A")), ["€5.00 of 2 Sep 2026 is missing from it"]),
    ],
)  # fmt: skip
def test_two_statements_that_contradict_each_other_are_refused(
    session: Session, second: DemoStatement, words: Sequence[str]
) -> None:
    take(session, bank_files.camt053(sheet(1, 3, 0, ONE)))
    message = refused(session, bank_files.camt053(second))
    assert [each for each in words if each not in message] == [], message


OLD, NEW = (3, 20, "Old"), (3, 7, "New")


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (sheet(1, 3, 0, ONE, NEW), "€0.07 of 3 Sep 2026 stands in this one only"),
        (sheet(3, 3, 500, NEW), "€0.07 of 3 Sep 2026 stands in this one only"),
        (sheet(3, 5, 500, NEW, (5, 7, "B")), "€0.07 of 3 Sep 2026 stands in this one only"),
        (sheet(3, 5, 500, (5, 7, "B")), "€0.20 of 3 Sep 2026 is missing from it"),
        (sheet(3, 3, 500, OLD, NEW), ""),
        (sheet(3, 5, 500, NEW, OLD, (5, 7, "B")), ""),
    ],
)
def test_of_the_last_day_that_two_statements_share_one_has_every_line(
    session: Session, second: DemoStatement, words: str
) -> None:
    take(session, bank_files.camt053(sheet(1, 3, 0, ONE, OLD)))
    if words:
        assert words in refused(session, bank_files.camt053(second))
    else:
        take(session, bank_files.camt053(second))


@pytest.mark.parametrize(
    "cut",
    [
        sheet(3, 3, 500, reference="CUT"),
        sheet(3, 3, 500, OLD, reference="CUT"),
        sheet(2, 3, 0, ONE, reference="CUT"),
        sheet(1, 3, 0, ONE, OLD),
    ],
)
def test_a_statement_of_the_middle_of_a_day_that_is_there_says_nothing_new_and_is_not_kept(
    session: Session, cut: DemoStatement
) -> None:
    """The account was taken to end as it does, and the bank's next statement was refused."""
    whole = take(session, bank_files.camt053(sheet(1, 3, 0, ONE, OLD, NEW))).statements[0]
    done = take(session, bank_files.camt053(cut))
    assert done.nothing_new
    period = days(cut.first_on, cut.last_on)
    assert done.said == (
        f"Every line of the statement of {period} is in statement BS-{whole.id}, which goes further.",
    )
    assert len(session.scalars(select(BankStatementFile)).all()) == 1
    assert bank_statements.accounts(session)[0].balance == euros(527)
    assert not take(session, bank_files.camt053(sheet(4, 4, 527, (4, 5, "B")))).statements[0].look_at


def test_a_statement_of_the_middle_of_a_day_with_another_opening_is_refused(session: Session) -> None:
    take(session, bank_files.camt053(sheet(1, 3, 0, ONE, OLD, NEW)))
    message = refused(session, bank_files.camt053(sheet(3, 3, 501, OLD, reference="CUT")))
    assert "opens with €5.01" in message


def test_what_ends_with_the_same_day_has_every_line_of_it(session: Session) -> None:
    take(session, bank_files.camt053(sheet(3, 3, 500, OLD, NEW)))
    message = refused(session, bank_files.camt053(sheet(1, 3, 0, ONE, OLD)))
    assert "€0.07 of 3 Sep 2026 is missing from it" in message
    assert take(session, bank_files.camt053(sheet(1, 3, 0, ONE, OLD, NEW))).statements


def test_of_a_day_that_an_earlier_statement_covers_whole_a_later_one_has_no_line_of_its_own(
    session: Session,
) -> None:
    take(session, bank_files.camt053(sheet(1, 5, 0, ONE, OLD, (5, 7, "B"))))
    message = refused(session, bank_files.camt053(sheet(1, 3, 0, ONE, OLD, NEW)))
    assert "€0.07 of 3 Sep 2026 stands in this one only" in message


def test_a_statement_before_another_must_end_where_that_begins(session: Session) -> None:
    take(session, bank_files.camt053(sheet(4, 5, 500, (4, 5, "B"))))
    message = refused(session, bank_files.camt053(sheet(1, 3, 0, (2, 499, "A"))))
    assert "closes with €4.99 on 3 Sep 2026, and the one after it opens with €5.00" in message


def test_only_finance_imports(session: Session) -> None:
    for role in (Role.MEDIATOR, Role.COMPLIANCE, Role.ADMINISTRATOR):
        actor = Actor("staff", 1, frozenset({role}), authenticated_at=NOW)
        with pytest.raises(NotPermitted):
            imports.take(session, actor, now=NOW, code="main", file="a", content=b"x", store=None)


def test_an_account_a_currency(session: Session) -> None:
    with pytest.raises(accounts.BankAccountTaken, match="bank account main in EUR already"):
        accounts.register(
            session, OPERATOR, now=NOW, code="other", name="O", currency="EUR", identifier="1234"
        )
    for code, number in (("Main!", "1234"), ("stripe", "1234"), ("other", "12")):
        with pytest.raises(accounts.BankAccountUnfit):
            accounts.register(
                session, OPERATOR, now=NOW, code=code, name="O", currency="USD", identifier=number
            )
    with pytest.raises(accounts.BankAccountUnfit, match="give it a name"):
        accounts.register(
            session, OPERATOR, now=NOW, code="other", name=" ", currency="USD", identifier="1234"
        )
    with pytest.raises(UnknownCurrency):
        accounts.register(
            session, OPERATOR, now=NOW, code="other", name="O", currency="XXX", identifier="1234"
        )
    changed = accounts.correct(
        session, OPERATOR, now=NOW, code="main", name=None, identifier="NL56 AGDH 9619008421"
    )
    assert (changed.name, changed.identifier) == ("Main", "NL56AGDH9619008421")
    changed = accounts.correct(session, OPERATOR, now=NOW, code="main", name="Second", identifier=None)
    assert (changed.name, changed.identifier) == ("Second", "NL56AGDH9619008421")


# Stripe's reports

HEAD = "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id"
REPORT = f"""{HEAD}
txn_1,2026-09-14 10:02:11,eur,812.40,12.03,800.37,charge,ch_1
txn_2,2026-09-15 11:30:00,jpy,5000,180,4820,charge,ch_2
"""


def report(session: Session, content: str) -> stripe_reports.ReportImport:
    return stripe_reports.take(session, OPERATOR, now=NOW, file="r.csv", content=content.encode(), store=None)


def test_a_report_of_stripes_adds_what_is_missing_and_must_agree_with_what_is_there(session: Session) -> None:
    first = report(session, REPORT)
    assert (first.lines, first.added) == (2, 2)
    assert {
        (row.id, row.amount, row.fee, row.net, row.currency) for row in session.scalars(select(StatementLine))
    } == {
        ("txn_1", 81240, 1203, 80037, "EUR"),
        ("txn_2", 5000, 180, 4820, "JPY"),
    }
    assert report(session, REPORT).before == NOW
    assert report(session, f"{REPORT}txn_3,2026-09-15 11:31:00,eur,-1,0,-1,refund,re_3\n").added == 1
    for content, words in (
        (REPORT.replace("812.40,12.03,800.37", "812.40,12.04,800.36"), "line 2: the net of txn_1 is €800.36"),
        (f"{REPORT}{REPORT.splitlines()[1]}\n", "txn_1 stands in the report twice"),
        (f"{HEAD}\ntxn_9,2026-09-14 11:00:00,eur,1,0,1,charge,ch_9\ntxn_8,2026-09-15 11:30:00,eur,1,0,1,charge,ch_8\n",
         "another Stripe account"),
    ):  # fmt: skip
        with pytest.raises(DeskError) as problem, session.begin_nested():
            report(session, content)
        assert words in " ".join(problem.value.message.split())


def test_a_report_and_a_statement_are_not_taken_for_each_other(session: Session) -> None:
    assert "import it with the account “stripe”" in refused(session, REPORT.encode())
    with pytest.raises(stripe_reports.NotStripes):
        report(session, bank_files.mt940(sheet(1, 1, 0)).decode())


# Many lines


def test_many_lines_come_in_by_sets(session: Session) -> None:
    lines = [((number % 28) + 1, 1, "A") for number in range(12_000)]
    seen: list[int] = []
    done = take(session, bank_files.mt940(sheet(1, 28, 0, *lines)), progress=seen.append)
    assert (done.lines, done.repeated) == (12_000, 0)
    assert seen[-1] == 12_000
    keys = session.execute(text("select count(distinct key) from bank_statement_lines")).scalar_one()
    assert keys == 12_000
