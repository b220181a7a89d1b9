"""The books of a case: its journals among themselves, and against the order, the refunds and the payment events."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from core.case_file.check_helpers import Files, Wrong, read, same
from core.rules.refunds import RefundStatus

Row = dict[str, Any]
PLACES = ("held", "payable", "refundable", "released", "refunded")
# Causes of payment events that are words; every other cause is the key of a journal or of its operation.
IN_WORDS = ("charge requested", "charge settled", "charge declined", "milestone canceled")
CHARGEBACK, FAILED, KEPT_BACK = "chargeback ", " failed", " kept back"
# What a refund does to the payment may follow its journal; these change it in the same moment.
AT_ONCE = ("charge_settled", "decided", "withdrawal", "receivable_offset")
EXCHANGED = "exchanged"
AT_PROVIDER = {"stripe_balance", "processor_fees", "dispute_fees", "exchange_difference"}
# Where one of these was booked, a bank or the provider has moved money that was divided already.
UNUSUAL = (
    "chargeback",
    "transfer_reversed",
    "refund_failed",
    "refund_canceled",
    "refund_returned",
    "refund_came_back",
    "refund_never_left",
    "refund_made_by_hand",
    "duplicate",
)


def journals(files: Files) -> None:
    """Each sums to zero, in the currency of the order, under a key and a number of its own."""
    rows, currency = read(files, "journals.json"), _order(files)["currency"]
    for row in rows:
        off_by = sum(each["amount"] for each in row["postings"])
        if off_by:
            raise Wrong(f"journal {row['key']} does not sum to zero: it is off by {off_by}")
        accounts = [each["account"] for each in row["postings"]]
        if len(set(accounts)) != len(accounts) or not all(each["amount"] for each in row["postings"]):
            raise Wrong(f"journal {row['key']} moves nothing, or one account twice")
    keys = Counter(row["key"] for row in rows)
    if twice := next((key for key, count in keys.items() if count > 1), None):
        raise Wrong(f"journal {twice} is there twice")
    numbers = [row["id"] for row in rows]
    if numbers != sorted(set(numbers)):
        raise Wrong("the journals are not in the order in which they were booked")
    if not _unusual(rows):
        for row in rows:
            if row["kind"] == EXCHANGED:
                _exchanged(row, keys, currency)
            else:
                same(f"the currency of journal {row['key']}", row["currency"], currency)


def _exchanged(row: Row, keys: Counter[str], currency: str) -> None:
    """What a line that the provider converted did on its balance: in another currency, beside the journal of the
    payment, and on no account of the milestone or of a party."""
    beside = row["key"].removesuffix(f".{EXCHANGED}")
    touched = {each["account"] for each in row["postings"]}
    if row["currency"] == currency or beside == row["key"] or beside not in keys or touched - AT_PROVIDER:
        raise Wrong(f"journal {row['key']} is not what a conversion by the provider books")


def order(files: Files) -> None:
    """Every amount of the order again, from the journals and the refunds."""
    stated = _order(files)
    rows = [row for row in read(files, "journals.json") if row["kind"] != EXCHANGED]
    same("what was funded", stated["funded_minor"], sum(stated[f"{each}_minor"] for each in PLACES))
    if not stated["funded_minor"]:
        return
    parts = sum(stated[f"{each}_minor"] for each in ("amount", "platform_fee", "processing_fee"))
    same("the charge of the order", stated["charge_minor"], parts)
    _charged(stated, rows)
    if not _unusual(rows):
        _divided(stated, rows)
        _refunded(files, stated, rows)


def _charged(stated: Row, rows: list[Row]) -> None:
    """What the one charge that settled has put where."""
    found = [row for row in rows if row["kind"] == "charge_settled"]
    same("the number of charges that settled", len(found), 1)
    put = _net(found)
    milestone = stated["milestone_id"]
    for what, account in (
        ("funded", f"held:{milestone}"),
        ("platform_fee", f"deferred_platform_fee:{milestone}"),
        ("processing_fee", "processing_fee_recovery"),
    ):
        words = f"the {what.replace('_', ' ')} of the order"
        same(words, stated[f"{what}_minor"], -put[account])


def _divided(stated: Row, rows: list[Row]) -> None:
    """What is held, what the payee may have, and whose the fee is."""
    net, milestone = _net(rows), stated["milestone_id"]
    same("what is held", stated["held_minor"], -net[f"held:{milestone}"])
    payable = -sum(amount for account, amount in net.items() if account.startswith("payee_payable:"))
    same("what is payable", stated["payable_minor"], payable)
    deferred = stated["platform_fee_minor"] if stated["held_minor"] else 0
    same("the fee not yet earned", -net[f"deferred_platform_fee:{milestone}"], deferred)
    same("the fee that was kept", stated["fee_kept_minor"], -net["platform_fee_revenue"])


def _refunded(files: Files, stated: Row, rows: list[Row]) -> None:
    refunds = read(files, "case.json")["refunds"]
    sent = [each for each in refunds if each["status"] == RefundStatus.SUCCEEDED]
    waiting = [each for each in refunds if each["status"] != RefundStatus.SUCCEEDED]
    same("what was refunded", stated["refunded_minor"], sum(each["milestone_part_minor"] for each in sent))
    same(
        "what is to be refunded",
        stated["refundable_minor"],
        sum(each["milestone_part_minor"] for each in waiting),
    )
    _owed_back(sum(each["amount_minor"] for each in sent), refunds, stated, rows)


def _owed_back(sent: int, refunds: list[Row], stated: Row, rows: list[Row]) -> None:
    """The provider's line of a refund that still waits may be booked already."""
    account = f"refund_payable:{stated['milestone_id']}"
    paid = _net([row for row in rows if row["kind"] == "refund_succeeded"])[account]
    in_all = sum(each["amount_minor"] for each in refunds)
    same("the sum of the refunds", in_all, paid - _net(rows)[account])
    if not sent <= paid <= in_all:
        raise Wrong(f"the refunds that were sent are {sent}, and {paid} was booked")


def events(files: Files) -> None:
    """Each change of the payment begins where the one before it ended, and the last is where the order is."""
    rows, stated = [json.loads(line) for line in files["events.jsonl"].decode().splitlines()], _order(files)
    for before, after in pairwise(rows):
        if after["from_state"] != before["to_state"]:
            raise Wrong(
                f"payment event {after['id']} begins at {after['from_state']}, not {before['to_state']}"
            )
        if after["id"] <= before["id"]:
            raise Wrong("the payment events are not in the order in which they happened")
    for each in rows:
        amounts = each["amounts"]
        whole = sum(amounts[place] for place in PLACES)
        same(f"what payment event {each['id']} accounts for", whole, amounts["funded"])
        _caused(each, read(files, "journals.json"))
    if rows:
        same("the state of the payment", stated["state"], rows[-1]["to_state"])


def _caused(event: Row, rows: list[Row]) -> None:
    """By a journal, and not before it, unless its cause is a word."""
    cause = event["cause"]
    if cause == "charge settled":
        found = [row for row in rows if row["kind"] == "charge_settled"]
    elif cause in IN_WORDS or cause.startswith(CHARGEBACK) or cause.endswith(FAILED):
        return
    else:
        found = list(_under(cause.removesuffix(KEPT_BACK), rows))
    if not found:
        raise Wrong(f"payment event {event['id']} was caused by {cause}, and no such journal was booked")
    times = [_moment(row["posted_at"]) for row in found]
    at_once = all(row["kind"] in AT_ONCE for row in found)
    at = _moment(event["at"])
    if at < min(times) or (at_once and at not in times):
        raise Wrong(f"payment event {event['id']} is of {event['at']}, and its journal is not")


def _moment(stated: str) -> datetime:
    return datetime.fromisoformat(stated)


def _under(key: str, rows: list[Row]) -> Iterator[Row]:
    """Booked for this key, or for what the provider said of it."""
    return (row for row in rows if row["key"] == key or row["key"].startswith(f"{key}."))


def _net(rows: list[Row]) -> Counter[str]:
    """What all of them together moved on each account, debits > 0."""
    found: Counter[str] = Counter()
    for row in rows:
        for each in row["postings"]:
            found[each["account"]] += each["amount"]
    return found


def _unusual(rows: list[Row]) -> bool:
    return any(row["kind"].startswith(UNUSUAL) for row in rows)


def _order(files: Files) -> Row:
    found: Row = read(files, "case.json")["order"]
    return found


CHECKS: tuple[tuple[str, Callable[[Files], None]], ...] = (
    ("every journal sums to zero", journals),
    ("every payment event, and the journal that caused it", events),
    ("every amount of the order from the journals", order),
)
