"""A payout of the platform's is the sum of its parts, to the minor unit."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.reconciliation import bank_matches
from core.money import Money
from core.processes import reconciliation
from core.queries import platform_payouts as queries
from core.records import BankLine, StatementLine
from core.rules import statement_line_types
from core.rules.payout_parts import Part, part
from core.rules.permissions import SYSTEM
from tests.actions.test_bank_matching import stated
from tests.pages.visiting import serve, visit
from tests.sandbox_desk import Market


def paid_out(market: Market, amount: int) -> str:
    market.wait(hours=1)
    market.control.set_clock(market.now)
    asked = {"amount": str(amount), "currency": "usd"}
    reply = market.control.session.post(f"{market.sandbox.url}/v1/payouts", data=asked)
    assert reply.ok, reply.text
    return str(reply.json()["id"])


def run(market: Market) -> None:
    market.wait(hours=1)
    market.control.set_clock(market.now)
    reconciliation.run(market.desk, SYSTEM)


def dollars(minor: int) -> Money:
    return Money(minor, "USD")


def test_a_payout_is_charges_less_refunds_fees_and_chargebacks_with_reserves_and_what_stayed(
    market: Market,
) -> None:
    market.funded()
    market.wait(days=3)
    market.pay_in(100_000)
    first = paid_out(market, 30_000)
    market.wait(hours=1)
    market.control.set_clock(market.now)
    for kind, amount in (
        ("reserve_hold", -15_000),
        ("stripe_fee", -120),
        ("adjustment", -40),
        ("reserve_release", 5_000),
    ):
        market.control.line(kind, amount, "USD")
    second = paid_out(market, 20_000)
    run(market)
    early, late = (market.read(lambda session, id=id: queries.apart(session, id)) for id in (first, second))
    lines = {each.id: each for each in market.all(StatementLine)}
    charged = sum(each.amount for each in lines.values() if each.kind == "charge")
    fees = sum(each.fee for each in lines.values() if each.kind == "charge")
    assert charged > 0
    assert {part: each.minor for part, each in early.parts.items() if each.minor} == {
        Part.CHARGES: charged, Part.FEES: -fees, Part.TOP_UPS: 100_000,
    }  # fmt: skip
    assert {part: each.minor for part, each in late.parts.items() if each.minor} == {
        Part.RESERVES: -10_000, Part.FEES: -120, Part.OTHER: -40,
    }  # fmt: skip
    assert late.stayed == dollars(-10_000 - 120 - 40 - 20_000)
    balance = sum(each.net for each in lines.values())
    assert early.stayed + late.stayed == dollars(balance)
    shown = market.read(lambda session: queries.lines(session, late.payout, Part.RESERVES))
    assert sorted(each.amount.minor for each in shown) == [-15_000, 5_000]
    fee_lines = market.read(lambda session: queries.lines(session, early.payout, Part.FEES))
    assert (len(fee_lines), early.counts[Part.FEES]) == (1, 1)


def test_it_is_followed_to_the_line_of_our_bank(market: Market) -> None:
    market.pay_in(100_000)
    payout = paid_out(market, 30_000)
    run(market)

    def seen() -> queries.TakenApart:
        return market.read(lambda session: queries.apart(session, payout))

    assert "on its way" in seen().payout.where
    market.control.move_payout(payout, "paid")
    run(market)
    assert "No line of our bank's" in seen().payout.where

    def write(session: Session) -> None:
        stated(session, [(0, -100_000, "To Stripe"), (1, 30_000, f"STRIPE PAYOUT {payout}")])

    market.database.run(write)
    market.wait(days=1)
    run(market)
    assert seen().payout.where == "Stripe says that it arrived. Our bank's statement has it."
    assert [each.amount for each in seen().bank] == [dollars(30_000)]
    assert (
        market.read(lambda session: session.scalar(text("select count(*) from breaks where status = 'OPEN'")))
        == 0
    )


def test_a_line_of_our_bank_with_another_amount_is_said_to_differ(market: Market) -> None:
    """First it is only named, then matched by hand with the difference in suspense: never that our bank has it."""
    market.pay_in(100_000)
    payout = paid_out(market, 30_000)
    run(market)
    market.control.move_payout(payout, "paid")
    run(market)

    def write(session: Session) -> None:
        stated(session, [(0, -100_000, "To Stripe"), (1, 27_500, f"STRIPE PAYOUT {payout}")])

    market.database.run(write)
    market.wait(days=1)
    run(market)
    seen = market.read(lambda session: queries.one(session, payout))
    assert seen.where == (
        "Stripe says that it arrived. Our bank names it with $25.00 less; nothing is matched with it."
    )
    (line,) = (each for each in market.all(BankLine) if each.amount_minor == 27_500)
    market.act(
        bank_matches.by_hand, market.as_staff("fay"), line_ids=[line.id], journal_ids=[seen.paid_journal_id or 0],
        reason="The bank kept its charge.", difference=True,
    )  # fmt: skip
    seen = market.read(lambda session: queries.one(session, payout))
    assert seen.where == "Stripe says that it arrived. Our bank's statement has it, with $25.00 less."


def test_every_kind_of_line_belongs_to_one_part() -> None:
    parts = {kind: part(kind, "") for kind in statement_line_types.BY_TYPE}
    assert parts["reserve_hold"] is Part.RESERVES
    for category in statement_line_types.BY_CATEGORY:
        if category != "payout":
            assert part("new", category) is not Part.OTHER, category


def test_each_figure_opens_its_lines_and_each_line_its_journal_beside_the_sum(
    market: Market, tmp_path: Path
) -> None:
    market.funded()
    payout = paid_out(market, 5_000)
    run(market)
    found = market.read(lambda session: queries.apart(session, payout))
    serve(market, tmp_path)
    for each in (each for each in Part if found.counts[each]):
        app = visit(market, "fay", "reconciliation", payout=payout, part=each.value)
        headings = [heading.value.replace("\\", "") for heading in app.subheader]
        title = next(place for place, heading in enumerate(headings) if found.parts[each].text() in heading)
        assert title < headings.index("At our bank"), "the lines stand beside the sum that they are of"
        listed = market.read(lambda session, each=each: queries.lines(session, found.payout, each))
        shown = next(each.value for each in app.dataframe if "journal" in each.value.columns)
        assert shown["journal"].to_list() == [f"J-{line.journal_id}" for line in listed]
        assert len(listed) == found.counts[each]
