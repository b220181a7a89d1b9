"""A break on its page: what differs, what can be done about it, by whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.actions.funding import balance_transactions
from core.actions.reconciliation import bank_matches, breaks, suspense
from core.db import Database
from core.gateways.payments import BalanceLine
from core.ledger import journal_store, postings
from core.money import Money
from core.processes import break_findings, statement_matching
from core.queries.reconciliation import RunSummary
from core.records import Break, Party, StatementLine, SuspenseItem
from core.rules.breaks import BreakClass, Side
from core.rules.masking import masked_name
from core.rules.reconciliation import BreakKind
from core.rules.suspense import SettledAs
from dashboard.finance import reconciliation_view
from tests import builders
from tests.actions.test_bank_matching import booked, stated
from tests.builders import PEOPLE, Town
from tests.pages.test_operation_retry import press, unexplained
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    unexplained(town)
    return town


def the_break(town: Town) -> Break:
    return town.read(lambda session: session.query(Break).one())


@pytest.mark.parametrize("subject", [each for each in PEOPLE if each in ("fay", "cora", "ada")])
def test_whoever_reads_the_books_sees_both_sides_and_only_finance_works_at_it(
    town: Town, subject: str
) -> None:
    app = visit(town, subject, "reconciliation", **{"break": the_break(town).id})
    seen = words(app)
    assert "-$7.77 is on Stripe's statement, and the ledger does not say what it is." in seen
    assert "A refund that was made outside this desk." in seen
    assert ("Assign" in labels(app)) == ("Submit for approval" in labels(app)) == (subject == "fay")


def test_finance_takes_it_notes_something_and_lets_it_wait(town: Town) -> None:
    number = the_break(town).id
    app = visit(town, "fay", "reconciliation", **{"break": number})
    app.selectbox(key=f"break-{number}-owner").set_value(town.staff["fay"]).run()
    press(app, "Assign")
    assert the_break(town).owner_id is None, "a reason is asked for"
    app.text_input(key=f"break-{number}-owner-reason").set_value("I asked for it.").run()
    press(app, "Assign")
    app = visit(town, "fay", "reconciliation", **{"break": number})
    app.text_area(key=f"break-{number}-remark").set_value("Stripe was asked.").run()
    press(app, "Save remark")
    app = visit(town, "fay", "reconciliation", **{"break": number})
    app.text_input(key=f"break-{number}-wait-reason").set_value("They answer tomorrow.").run()
    press(app, "Wait")
    row = the_break(town)
    assert (row.owner_id, row.remark) == (town.staff["fay"], "Stripe was asked.")
    assert row.waits_until is not None
    seen = words(visit(town, "fay", "reconciliation", **{"break": number}))
    assert all(
        each in seen for each in ("Waiting", "I asked for it.", "Stripe was asked.", "They answer tomorrow.")
    )
    listed = visit(town, "fay", "reconciliation", **{"break-status": "WAITING"})
    assert list(listed.dataframe[0].value["reference"]) == [f"B-{number}"]


def test_the_proposed_entry_is_shown_as_debit_and_credit_and_posted_by_another(town: Town) -> None:
    number = the_break(town).id
    app = visit(town, "fay", "reconciliation", **{"break": number})
    assert "refund_concession" in words(app), "what is likely is chosen already"
    app.text_input(key=f"break-{number}-reason").set_value("Goodwill.").run()
    press(app, "Submit for approval")
    other = visit(town, "cora", "reconciliation", **{"break": number})
    assert "refund_concession" in words(other)
    (item,) = town.read(lambda session: session.query(SuspenseItem).all())
    other.text_input(key=f"suspense-{item.id}-reason").set_value("Seen at Stripe.").run()
    press(other, "Approve and post")
    after = words(visit(town, "fay", "reconciliation", **{"break": number}))
    assert "approved its explanation" in after
    assert the_break(town).status == "CLOSED"
    closed = visit(town, "fay", "reconciliation", **{"break": number})
    entry = table(closed, "Entry of the explanation")
    assert entry.index("refund_concession") < entry.index("suspense")
    assert after.count("Posted ") == 2, "of the line, and of what it was"


def table(app: AppTest, name: str) -> str:
    return next(each.value for each in app.html if f'aria-label="{name}"' in each.value)


def test_a_line_that_came_after_its_day_was_closed_says_so_on_its_break(
    database: Database, tmp_path: Path, owner: Database
) -> None:
    town = builders.a_town(database)
    serve(town, tmp_path)
    closed_until_yesterday(owner, town)
    line = StatementLine(
        id="txn_late", kind="refund", reporting_category="refund", amount=-777, fee=0, net=-777, currency="USD",
        source="re_late", created_at=town.now - timedelta(days=2), fetched_at=town.now,
    )  # fmt: skip

    def find(session: Session) -> None:
        session.add(line)
        session.flush()
        statement_matching.to_suspense(session, "txn_late", now=town.now)

    town.database.run(find)
    said = words(visit(town, "fay", "reconciliation", **{"break": the_break(town).id}))
    day = town.now.replace(hour=0, minute=0)
    assert (
        f"Posted {day:%-d %b %Y}, 00:00 UTC. For {day - timedelta(days=2):%-d %b %Y}, which was closed."
        in said
    )


def submit(app: AppTest) -> Button:
    return next(each for each in app.button if each.label == "Submit for approval")


def test_nothing_is_chosen_for_a_line_that_the_desk_cannot_explain(
    database: Database, tmp_path: Path
) -> None:
    """A second line of a charge that is booked already, of a payment that no milestone is known of."""
    town = builders.a_town(database)
    serve(town, tmp_path)
    town.database.run(lambda session: charged_twice(session, town))
    number = town.read(lambda session: max(each.id for each in session.query(Break)))
    app = visit(town, "fay", "reconciliation", **{"break": number})
    assert "Another line with the same source and amount is booked already" in words(app)
    what = app.selectbox(key=f"break-{number}-as")
    assert (what.value, what.placeholder) == (None, "Choose what it was")
    assert words(app).count("Debit") == 1, "that of the ledger's side: no entry is proposed"
    assert submit(app).disabled
    what.set_value(SettledAs.OWN_MONEY).run()
    assert not submit(app).disabled


def test_a_tab_left_open_shows_who_closed_the_break_and_offers_no_way_on(town: Town) -> None:
    number = the_break(town).id
    one = visit(town, "fay", "reconciliation", **{"break": number})
    one.text_input(key=f"break-{number}-wait-reason").set_value("They answer tomorrow.").run()
    two = visit(town, "fay", "reconciliation", **{"break": number})
    press(one, "Wait")
    (item,) = town.read(lambda session: session.query(SuspenseItem).all())
    explained = {"item_ids": [item.id], "reason": "x"}
    town.act(suspense.propose, town.as_staff("fay"), settled_as=SettledAs.CONCESSION, **explained)
    town.act(suspense.approve, town.as_staff("cora"), **explained)
    two.button(key=f"break-{number}-wait").click().run()
    assert "approved by Cora Nwosu" in words(two)
    assert {"Continue anyway", "Wait"}.isdisjoint(labels(two))


def test_an_unknown_break_says_so_and_a_closed_one_offers_nothing(town: Town) -> None:
    assert "There is no break 99" in words(visit(town, "fay", "reconciliation", **{"break": 99}))
    (item,) = town.read(lambda session: session.query(SuspenseItem).all())
    town.act(
        suspense.propose,
        town.as_staff("fay"),
        item_ids=[item.id],
        settled_as=SettledAs.CONCESSION,
        reason="x",
    )
    town.act(suspense.approve, town.as_staff("cora"), item_ids=[item.id], reason="x")
    app = visit(town, "fay", "reconciliation", **{"break": the_break(town).id})
    assert "Was in suspense" in words(app)
    assert "Proposed entry" not in words(app)
    assert "While it was open: “-$7.77 is on Stripe's statement" in words(app)
    settled = text("select action from audit_entries where action like '%:suspense:settle'")
    assert town.read(lambda session: session.scalar(settled)) == "staff:suspense:settle", (
        "compliance approved"
    )
    assert "Assign" not in labels(app)
    assert "Submit for approval" not in labels(app)


def test_a_payee_is_chosen_by_name_and_whoever_approves_reads_it(town: Town) -> None:
    number = the_break(town).id
    name = town.read(lambda session: session.get_one(Party, town.payee_id).name)
    app = visit(town, "fay", "reconciliation", **{"break": number})
    app.selectbox(key=f"break-{number}-as").set_value(SettledAs.PAYEE_OWES).run()
    app.text_input(key=f"break-{number}-payee").set_value("nobody of this name").run()
    assert "No payee has this name." in words(app)
    app.text_input(key=f"break-{number}-payee").set_value(name[:4]).run()
    app.text_input(key=f"break-{number}-reason").set_value("Sent by hand.").run()
    press(app, "Submit for approval")
    (item,) = town.read(lambda session: session.query(SuspenseItem).all())
    assert (item.proposed_as, item.target_id) == (SettledAs.PAYEE_OWES, town.payee_id)
    other = visit(town, "cora", "reconciliation", **{"break": number})
    assert f"(payee {town.payee_id}: {masked_name(name, town.payee_id)})" in words(other)


def test_what_only_a_payee_has_at_stripe_is_proposed_to_the_memorandum_book_and_approved(town: Town) -> None:
    line = text(
        "insert into payee_statement_lines values ('txn_9', 'acct_1', :payee, 'payment', 'charge', 500, 0, 500, 'USD',"
        " 'py_1', :now, :now, :now)"
    )
    town.database.run(lambda s: s.execute(line, {"payee": town.payee_id, "now": town.now}))
    found = breaks.BreakFinding(
        Side.PAYEE, "acct_1:txn_9", "USD", BreakKind.NOT_IN_LEDGER, BreakClass.MADE_AT_STRIPE, Money(500, "USD"), None,
        town.now,
    )  # fmt: skip
    followed = town.database.run(lambda session: breaks.follow(session, [found], run_id=None, now=town.now))
    number = next(iter(followed.values()))
    app = visit(town, "fay", "reconciliation", **{"break": number})
    assert f"connected_balance:{town.payee_id}" in words(app)
    app.text_input(key=f"break-{number}-payee-reason").set_value("Their own payment.").run()
    press(app, "Submit for approval")
    other = visit(town, "cora", "reconciliation", **{"break": number})
    assert "only the memorandum book changes" in words(other)
    other.text_input(key="manual-journal-1-reason").set_value("Seen.").run()
    press(other, "Approve and post")
    seen = words(visit(town, "fay", "reconciliation", **{"break": number}))
    assert "Booked" in seen
    assert "Nothing is booked." not in seen


def test_what_a_payee_has_at_stripe_is_not_booked_and_the_page_says_so(town: Town) -> None:
    found = breaks.BreakFinding(
        Side.PAYEE, "acct_1:posting:9", "USD", BreakKind.NOT_AT_PROVIDER, BreakClass.LEDGER_ONLY, None,
        Money(500, "USD"), town.now,
    )  # fmt: skip
    followed = town.database.run(lambda session: breaks.follow(session, [found], run_id=None, now=town.now))
    seen = words(visit(town, "fay", "reconciliation", **{"break": next(iter(followed.values()))}))
    assert (
        "What only that book has was caused by the desk: fetch it again, and ask Stripe where the line is."
        in seen
    )


@pytest.mark.parametrize(("number", "said"), [(1, "is 1 amount"), (7, "are 7 amounts")])
def test_what_is_in_suspense_after_a_run_is_not_said_to_be_of_stripes_lines(
    town: Town, number: int, said: str
) -> None:
    """The banks' amounts are among them."""
    run = RunSummary(
        1, "SUSPENSE", "Fay", town.now, 5, 5, number, 0, 0, (), None, town.now, town.now, somebody_at_it=True
    )
    over = reconciliation_view.over(run)
    assert over == f"Run RC-1 is over: in suspense {said}; nobody has explained that yet."


def test_a_line_that_stripe_states_otherwise_is_explained_by_its_difference(
    database: Database, tmp_path: Path
) -> None:
    town = builders.a_town(database)
    serve(town, tmp_path)
    number = town.database.run(lambda session: stated_otherwise(session, town))
    assert "Submit for approval" not in labels(visit(town, "cora", "reconciliation", **{"break": number}))
    app = visit(town, "fay", "reconciliation", **{"break": number})
    assert "fee_variance" in words(app), "the likely explanation of a fee"
    app.text_input(key=f"difference-{number}-reason").set_value("On Stripe's invoice.").run()
    press(app, "Submit for approval")
    other = visit(town, "cora", "reconciliation", **{"break": number})
    other.text_input(key="suspense-1-reason").set_value("Seen there.").run()
    press(other, "Approve and post")
    assert "approved its explanation" in words(visit(town, "fay", "reconciliation", **{"break": number}))


def stated_otherwise(session: Session, town: Town) -> int:
    """A top-up of 100.00 that was booked without a fee, and that Stripe states with one; the number of its break."""
    line = {
        "id": "txn_1",
        "kind": "topup",
        "reporting_category": "topup",
        "currency": "USD",
        "source": "tu_1",
    }
    of_now = {"created_at": town.now, "amount": 10_000}
    session.add(StatementLine(**line, **of_now, fee=40, net=9_960, fetched_at=town.now))
    session.flush()
    booked = BalanceLine(
        "txn_1", "topup", "topup", 10_000, 0, 10_000, "USD", "tu_1", town.now, town.now, "available"
    )
    journal = postings.topped_up(key="topup.txn_1", amount=Money(10_000, "USD"), cause={})
    balance_transactions.book_line(session, booked, journal, now=town.now)
    usd = Money(10_000, "USD")
    found = breaks.BreakFinding(
        Side.STRIPE, "txn_1", "USD", BreakKind.AMOUNT_DIFFERS, BreakClass.FEE, usd - Money(40, "USD"), usd, town.now,
        transaction_id="txn_1",
    )  # fmt: skip
    return next(iter(breaks.follow(session, [found], run_id=None, now=town.now).values()))


def charged_twice(session: Session, town: Town) -> None:
    """A charge that is stated in two lines: the first is booked, the second lies in suspense."""
    facts = {"kind": "charge", "reporting_category": "charge", "amount": 372_346, "fee": 0, "net": 372_346}
    for name in ("txn_1", "txn_2"):
        session.add(
            StatementLine(
                id=name, **facts, currency="USD", source="ch_1", created_at=town.now, fetched_at=town.now
            )
        )
    session.flush()
    first = BalanceLine(
        "txn_1", "charge", "charge", 372_346, 0, 372_346, "USD", "ch_1", town.now, town.now, "available"
    )
    journal = postings.topped_up(key="topup.txn_1", amount=Money(372_346, "USD"), cause={})
    balance_transactions.book_line(session, first, journal, now=town.now)
    statement_matching.to_suspense(session, "txn_2", now=town.now)
    found = break_findings.at_stripe(session, 0, town.now, town.now)
    breaks.follow(session, list(found), run_id=None, now=town.now)


def at_the_bank(
    database: Database, home: Path, *lines: tuple[int, int, str], payouts: tuple[int, ...] = ()
) -> Town:
    """Breaks of a statement of ten days, and of payouts that arrived on the first, by the ledger."""
    town = builders.a_town(database)
    serve(town, home)
    later = town.now + timedelta(days=8)

    def write(session: Session) -> None:
        stated(session, lines)
        for amount in payouts:
            facts = {"key": f"sent.{amount}", "amount": Money(amount, "USD"), "cause": {}}
            journal_store.post(session, postings.topped_up(**facts), now=town.now)
            facts["key"] = f"paid.{amount}"
            sent = postings.platform_payout_sent(**facts, fee=Money.zero("USD"))
            journal_store.post(session, replace(sent, key=f"left.{amount}"), now=town.now)
            journal_store.post(session, postings.platform_payout_paid(**facts), now=town.now)
        found = break_findings.at_the_bank(session, later, later)
        breaks.follow(session, found, run_id=None, now=town.now)

    town.database.run(write)
    return town


def test_a_posting_that_the_bank_never_had_is_reversed_by_two_people(
    database: Database, tmp_path: Path
) -> None:
    town = at_the_bank(database, tmp_path, (0, -9_985, "To Stripe"), payouts=(3_000,))
    paid, top_up = (
        town.read(lambda session, amount=amount: session.query(Break).filter_by(ours=amount).one())  # type: ignore[misc]
        for amount in (3_000, -3_000)
    )
    assert "is not reversed by hand" in words(visit(town, "fay", "reconciliation", **{"break": top_up.id}))
    app = visit(town, "fay", "reconciliation", **{"break": paid.id})
    assert "payout_in_transit" in words(app)
    assert "Submit for approval" not in labels(visit(town, "cora", "reconciliation", **{"break": paid.id}))
    app.text_input(key=f"break-{paid.id}-reverse-reason").set_value("The bank never got it.").run()
    press(app, "Submit for approval")
    own = visit(town, "fay", "reconciliation", **{"break": paid.id})
    assert {"Withdraw"} == {each for each in labels(own) if each in ("Withdraw", "Approve and post", "Match")}
    other = visit(town, "cora", "reconciliation", **{"break": paid.id})
    other.text_input(key="manual-journal-1-reason").set_value("Asked the bank as well.").run()
    press(other, "Approve and post")
    after = words(visit(town, "fay", "reconciliation", **{"break": paid.id}))
    assert "approved the entry that reversed it" in after
    assert "Asked the bank as well." in after


def test_a_match_by_hand_is_undone_from_its_break(database: Database, tmp_path: Path) -> None:
    town = at_the_bank(database, tmp_path, (0, -3_015, "To Stripe"), payouts=(3_000,))
    line = town.read(lambda session: session.query(Break).filter_by(theirs=-3_015).one())
    posting = town.read(lambda session: session.query(Break).filter_by(ours=-3_000).one())
    facts = {
        "line_ids": [line.bank_line_id],
        "journal_ids": [posting.journal_id],
        "reason": "The <b>same</b> *one*.",
    }
    town.act(bank_matches.by_hand, town.as_staff("fay"), **facts, difference=True)
    assert "Undo match" not in labels(visit(town, "cora", "reconciliation", **{"break": posting.id}))
    for number in (line.id, posting.id):  # from either side
        app = visit(town, "fay", "reconciliation", **{"break": number})
        assert "By hand" in words(app)
        match, past = (table(app, name) for name in ("Match", "History"))
        assert "The &lt;b&gt;same&lt;/b&gt; *one*." in match
        parts = table(app, "Lines and postings of this match")
        assert parts.count("Posting J-") == 2
        assert ("-$30.15" in parts, "-$30.00" in parts, "-$0.15" in parts) == (True, True, True)
        assert "Bank lines matched by hand" in past
        assert "The &lt;b&gt;same&lt;/b&gt; *one*." in past
    said = words(app)
    assert "The difference of -$0.15 was booked to suspense as S-1, where nobody has explained" in said
    assert ("Difference, while open" in said, "Difference now" in said) == (True, True)
    app.text_input(key="match-1-undo-reason").set_value("It was another one.").run()
    press(app, "Undo match")
    app = visit(town, "fay", "reconciliation", **{"break": posting.id})
    assert "It was another one." in words(app)
    assert "Match" in labels(app)
    shown = words(visit(town, "fay", "reconciliation", **{"break": line.id}))
    assert "is on our bank's statement" in shown
    assert "In suspense" not in shown
    for number in (line.id, posting.id):
        past = table(visit(town, "cora", "reconciliation", **{"break": number}), "History")
        undone = past[past.index("Match by hand undone") :]
        assert "Fay" in undone
        assert "It was another one." in undone
        assert "The &lt;b&gt;same&lt;/b&gt; *one*." in past, "and why it was matched"


def test_a_match_that_cannot_be_undone_says_so_before_it_is_made(
    database: Database, tmp_path: Path, owner: Database
) -> None:
    """A line of a day that is closed, and a posting of an open one: the period keeps its matches as they are."""
    town = at_the_bank(database, tmp_path, (-1, -3_015, "To Stripe"), payouts=(3_000,))
    line = town.read(lambda session: session.query(Break).filter_by(theirs=-3_015).one())
    posting = town.read(lambda session: session.query(Break).filter_by(ours=-3_000).one())

    def shown() -> str:
        app = visit(town, "fay", "reconciliation", **{"break": line.id})
        assert "This match is final" not in words(app), "nothing is chosen that it could be matched with"
        app.multiselect(key=f"match-{line.id}-postings").set_value([posting.journal_id]).run()
        assert "Match" in labels(app)
        return words(app)

    assert "This match is final" not in shown()
    closed_until_yesterday(owner, town)
    assert f"This match is final: {town.now - timedelta(days=1):%-d %b %Y} is in a closed period" in shown()


def closed_until_yesterday(owner: Database, town: Town) -> None:
    first_open = text("update ledger_lock set open_from = date_trunc('day', cast(:now as timestamptz))")
    with owner.transaction() as session:
        session.execute(first_open, {"now": town.now})


def test_a_match_that_touches_a_closed_period_is_not_offered_to_be_undone_and_says_why(
    database: Database, tmp_path: Path, owner: Database
) -> None:
    town = at_the_bank(database, tmp_path, (-1, -3_000, "To Stripe"), payouts=(3_000,))
    line = town.read(lambda session: session.query(Break).filter_by(theirs=-3_000).one())
    posting = town.read(lambda session: session.query(Break).filter_by(ours=-3_000).one())
    facts = {"line_ids": [line.bank_line_id], "journal_ids": [posting.journal_id], "reason": "The same."}
    town.act(bank_matches.by_hand, town.as_staff("fay"), **facts)
    assert "Undo match" in labels(visit(town, "fay", "reconciliation", **{"break": line.id}))
    closed_until_yesterday(owner, town)
    for number, who in ((line.id, "fay"), (posting.id, "cora")):
        app = visit(town, who, "reconciliation", **{"break": number})
        assert "Undo match" not in labels(app)
        day = f"{town.now - timedelta(days=1):%-d %b %Y}"
        assert f"It cannot be undone. {day} is in a closed period" in words(app)


def test_a_bank_line_is_matched_by_hand_or_explained(database: Database, tmp_path: Path) -> None:
    town = builders.a_town(database)
    serve(town, tmp_path)

    def write(session: Session) -> None:
        stated(session, [(0, -9_985, "To Stripe"), (1, -35, "Account fee")])
        booked(session, "top-up", -10_000)
        found = break_findings.at_the_bank(session, town.now + timedelta(days=2), town.now)
        breaks.follow(session, found, run_id=None, now=town.now)

    town.database.run(write)
    short, fee = town.read(
        lambda session: session.query(Break).filter_by(kind="NOT_IN_LEDGER").order_by(Break.since).all()
    )
    app = visit(town, "fay", "reconciliation", **{"break": short.id})
    assert "No posting has this amount" in words(app)
    journal = app.multiselect(key=f"match-{short.id}-postings").options
    assert len(journal) == 1
    number = town.read(
        lambda session: session.query(Break).filter_by(kind="NOT_AT_PROVIDER").one().journal_id
    )
    app.multiselect(key=f"match-{short.id}-postings").set_value([number]).run()
    assert "Difference $0.15" in words(app)
    app.text_input(key=f"match-{short.id}-reason").set_value("The same top-up.").run()
    press(app, "Match")
    assert "15" in words(app), "the refusal names the difference"
    app.checkbox(key=f"match-{short.id}-difference").check().run()
    press(app, "Match")
    app = visit(town, "fay", "reconciliation", **{"break": short.id})
    assert "In suspense" in words(app)
    ways = app.selectbox(key=f"break-{short.id}-as")
    assert (ways.value, ways.placeholder) == (None, "Choose what it was"), "nobody knows what it was"
    assert "other_income" not in words(app)
    assert "The platform's own money" not in ways.options, "what is refused is not offered"
    app = visit(town, "fay", "reconciliation", **{"break": fee.id})
    assert "Statement BS-1" in [each.proto.label for each in app.get("page_link")], (
        "the way to the statement that has it"
    )
    assert submit(app).disabled, "nothing is chosen for them"
    app.selectbox(key=f"bank-{fee.id}-as").set_value(SettledAs.BANK_CHARGE).run()
    assert "bank_charges" in words(app)
    app.text_input(key=f"bank-{fee.id}-reason").set_value("Monthly fee.").run()
    press(app, "Submit for approval")
    assert "Proposed" in words(visit(town, "cora", "reconciliation", **{"break": fee.id}))


def test_bank_charges_that_a_rule_recognises_are_submitted_with_one_click(
    database: Database, tmp_path: Path
) -> None:
    lines = [(0, -1_500, "<b>Account</b> charge"), (1, -1_600, "Account charge"), (2, -9_985, "Other")]
    town = at_the_bank(database, tmp_path, *lines)
    app = visit(town, "fay", "reconciliation")
    assert "Bank charges by rule" not in words(app)
    app.text_input(key="rule-words").set_value("charge").run()
    app.text_input(key="rule-most").set_value("20").run()
    press(app, "Save rule")
    shown = words(visit(town, "cora", "reconciliation"))
    assert "Bank charges by rule (2)" in shown
    assert "<b>Account" not in shown
    assert "Save rule" not in labels(visit(town, "cora", "reconciliation"))
    press(visit(town, "fay", "reconciliation"), "Submit all 2 for approval")
    other = visit(town, "cora", "reconciliation")
    assert "Bank charges by rule" not in words(other)
    other.text_input(key="suspense-1-reason").set_value("As every month.").run()
    press(other, "Approve and post")
    assert town.read(lambda session: {each.status for each in session.query(SuspenseItem)}) == {"SETTLED"}


def test_what_a_rule_recognises_wrongly_is_left_out_by_either_person(
    database: Database, tmp_path: Path
) -> None:
    lines = [(day, -100 * day, "Account charge") for day in range(1, 4)]
    town = at_the_bank(database, tmp_path, *lines)
    app = visit(town, "fay", "reconciliation")
    app.text_input(key="rule-words").set_value("charge").run()
    app.text_input(key="rule-most").set_value("20").run()
    press(app, "Save rule")
    app = visit(town, "fay", "reconciliation")
    first = app.multiselect(key="bank-charges-left-out").options[0]
    app.multiselect(key="bank-charges-left-out").select(first).run()
    press(app, "Submit 2 of 3 for approval")
    assert "Bank charges by rule (1)" in words(visit(town, "fay", "reconciliation"))
    other = visit(town, "cora", "reconciliation")
    left_out = other.multiselect(key="agree-1-left-out")
    left_out.select(left_out.options[0]).run()
    other.text_input(key="suspense-2-reason").set_value("As every month.").run()
    press(other, "Approve and post")
    items = town.read(
        lambda s: [
            (each.status, each.proposed_as) for each in s.query(SuspenseItem).order_by(SuspenseItem.id)
        ]
    )
    assert items == [("OPEN", "BANK_CHARGE"), ("SETTLED", "BANK_CHARGE")]
    other = visit(town, "cora", "reconciliation")
    other.text_input(key="suspense-1-reason").set_value("Not ours.").run()
    press(other, "Reject")
    kept = town.read(lambda s: [each.proposed_as for each in s.query(SuspenseItem).order_by(SuspenseItem.id)])
    assert kept == [None, "BANK_CHARGE"]


def test_whoever_approves_reads_the_rule_of_each_charge_and_one_entry_an_account(
    database: Database, tmp_path: Path
) -> None:
    lines = [(0, -1_500, "Account charge"), *((day, -100 * day, "Card fee") for day in range(1, 5))]
    town = at_the_bank(database, tmp_path, *lines)
    for words_, most in (("charge", "20"), ("card fee", "5")):
        app = visit(town, "fay", "reconciliation")
        app.text_input(key="rule-words").set_value(words_).run()
        app.text_input(key="rule-most").set_value(most).run()
        press(app, "Save rule")
    press(visit(town, "fay", "reconciliation"), "Submit all 5 for approval")
    seen = words(visit(town, "cora", "reconciliation"))
    assert "5 amounts" in seen
    assert "Rule 1: the text contains “charge”, up to $20.00." in seen
    assert "Rule 2: the text contains “card fee”, up to $5.00." in seen
    assert "$25.00" in seen, "the sum"


def test_an_amount_in_suspense_is_opened_by_its_own_number(town: Town) -> None:
    (item,) = town.read(lambda session: session.query(SuspenseItem).all())
    seen = words(visit(town, "fay", "reconciliation", suspense=item.id))
    assert "-$7.77 is on Stripe's statement, and the ledger does not say what it is." in seen
    assert "There is no suspense item 99" in words(visit(town, "fay", "reconciliation", suspense=99))
