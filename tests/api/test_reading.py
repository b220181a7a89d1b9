"""What a marketplace reads back: pages, papers and files, all of it its own and nothing that tips anybody off."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from core.actions.cases import conversation
from core.actions.debts import repayment_plans
from core.actions.milestones import verification
from core.actions.risk import holds, payee_holds, reports, risk_reviews
from core.api.routes.lists import LISTS
from core.db import Database
from core.money import Money
from core.records import Evidence, Hold, Notification, Report, RiskReview
from core.records.audit import audit_entries
from core.rules.holds import HoldKind
from core.rules.repayment_plans import Instalment
from core.rules.reports import ReportKind
from core.rules.risk import ReviewOutcome
from tests import builders
from tests.actions import stripe_events
from tests.actions.test_receivables import owes, pays
from tests.api import conformity
from tests.api.api_client import ApiClient, code
from tests.api.test_events import listening
from tests.api.test_flows import accepted, disputed, funded
from tests.gateways.evidence_builders import picture

PATHS = [each.path for each in LISTS]


def lived(home: ApiClient) -> dict[str, Any]:
    """Something of every kind, by the name of the parameter that its address takes."""
    market = home.market
    there = market.in_mediation()
    photo = ("cabinet.jpg", picture(), "image/jpeg")
    home.upload(f"/milestones/{there.milestone}/evidence", party=home.payer, file=photo)
    share = {"party": home.payee, "release": {"minor": 40_000, "currency": "USD"}}
    home.post(f"/disputes/{there.case}/settlement-proposals", share)
    said = {"party": home.payer, "kind": "OTHER", "details": "He was rude."}
    home.post(f"/projects/{there.project}/reports", said)
    flag = home.post(
        f"/projects/{there.project}/practice-flags", {"licensed_in": "Ohio", "needed_in": "Iowa"}
    )
    review = market.all(RiskReview)[-1]
    home.post(f"/practice-flags/{flag.json()['id']}/resolve", {"resolution": "Admitted."})
    for report in market.all(Report):
        settled = {"report_id": report.id, "outcome": reports.ReportOutcome.DISMISSED, "note": "Nothing."}
        market.act(reports.settle, market.as_staff("cora"), **settled)
    cleared = {"review_id": review.id, "outcome": ReviewOutcome.CLEARED, "note": "Fine."}
    market.act(risk_reviews.settle, market.as_staff("cora"), **cleared)
    decision = builders.decided(market, there, builders.a_draft(there, release=Money(60_000, "USD")))
    market.work()
    for _ in range(3):
        market.later(days=1)
    other = market.funded()
    placed = market.act(
        holds.place, market.as_staff("cora"), milestone_id=other.milestone, reason="A word of staff."
    )
    charged = market.funded()
    stripe_events.charged_back(market, charged)
    market.work()
    payee_held = {"party_id": market.payee_id, "reason": "A word of staff."}
    for_payee = market.act(payee_holds.place, market.as_staff("cora"), **payee_held)
    market.act(payee_holds.lift, market.as_staff("ada"), hold_id=for_payee.id, reason="Fine.")
    owes(market, 1_000_000, "lost")
    endpoint, _ = listening(market, "https://market.example/events")
    setup = home.post("/payment-method-setups", {"party": home.payer}).json()

    def first(path: str) -> int:
        return int(home.get(f"/{path}?sort=id&limit=1").json()["items"][0]["id"])

    return {
        "project_id": there.project,
        "milestone_id": there.milestone,
        "dispute_id": there.case,
        "settlement_proposal_id": int(
            home.get(f"/disputes/{there.case}/settlement-proposals").json()["items"][0]["id"]
        ),
        "payout_id": first("payouts"),
        "refund_id": first("refunds"),
        "receipt_id": first("receipts"),
        "chargeback_id": first("chargebacks"),
        "evidence_id": first("evidence"),
        "email_id": first("emails"),
        "report_id": first("reports"),
        "flag_id": int(flag.json()["id"]),
        "endpoint_id": endpoint.id,
        "setup_id": setup["id"],
        "decision": decision.id,
        "hold": placed.id,
    }


def addresses(known: dict[str, Any], party: str) -> Iterator[str]:
    """Every address that is read, with what there is in place of its parameters."""
    for path, methods in conformity.description()["paths"].items():
        if "get" in methods:
            needed = [each for each in methods["get"].get("parameters", []) if each.get("required")]
            query = {"external_id": party, "endpoint": known["endpoint_id"]}
            asked = "&".join(
                f"{each['name']}={query[each['name']]}" for each in needed if each["in"] == "query"
            )
            yield path.format(**known) + (f"?{asked}" if asked else "")


def test_nothing_of_another_marketplace_is_ever_read(home: ApiClient, law: ApiClient) -> None:
    known = lived(home)
    for address in addresses(known, home.payer):
        if address.endswith("/reviews"):
            continue  # nobody has been asked yet
        mine, theirs = home.get(address), law.get(address)
        assert mine.status_code == 200, (address, mine.text)
        if theirs.status_code == 200:
            answer = theirs.json()
            assert answer.get("items", "platform") in ([], "platform"), address
        else:
            assert (theirs.status_code, code(theirs)) == (404, "not_found"), address
    for path in PATHS:
        assert home.get(f"/{path}").json()["items"], f"{path}: nothing was there to be seen"
        for named in (
            f"project={known['project_id']}",
            f"milestone={known['milestone_id']}",
            f"party={home.payer}",
        ):
            answer = law.get(f"/{path}?{named}")
            assert answer.status_code == 422 or answer.json()["items"] == [], (path, named)


def entries(home: ApiClient, action: str) -> list[dict[str, Any]]:
    """What the audit log says afterwards of each time that this was done."""
    wanted = select(audit_entries.c.after).where(audit_entries.c.action == action)
    return home.market.read(lambda session: [dict(each or {}) for each in session.scalars(wanted)])


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_page_costs_as_many_statements_however_much_is_on_it(home: ApiClient) -> None:
    lived(home)
    costs: dict[str, set[int]] = {path: set() for path in PATHS}
    for more in range(2):
        if more:
            for number in range(3):
                path = f"/milestones/{home.market.submitted().milestone}"
                home.post(f"{path}/evidence-of-nothing", {})
                home.upload(
                    f"{path}/evidence", party=home.payee, file=(f"{number}.txt", b"Done.", "text/plain")
                )
                home.post(f"{path}/dispute", {"party": home.payer, "reason": "DEFECTIVE"})
            released = home.market.submitted()
            home.market.act(verification.approve, home.market.payer, milestone_id=released.milestone)
            home.market.work()
        for path in PATHS:
            with counted(home.market.database) as sent:
                assert home.get(f"/{path}?limit=100").json()["items"]
            costs[path].add(len(sent))
    assert {path: cost for path, cost in costs.items() if len(cost) > 1} == {}


def test_pages_follow_each_other_whatever_comes_meanwhile(home: ApiClient) -> None:
    for number in range(5):
        accepted(home, f"bid-{number}")
    for sort in ("id", "-id", "created_at", "-created_at"):
        seen, cursor = [], ""
        while True:
            page = home.get(f"/projects?limit=2&sort={sort}{cursor}").json()
            seen += [each["id"] for each in page["items"]]
            if not page["has_more"]:
                break
            cursor = f"&cursor={page['next']}"
            if len(seen) == 2 and sort == "-id":
                accepted(home, "bid-that-comes-meanwhile")
        assert seen == sorted(set(seen), reverse=sort.startswith("-")), sort
        assert len(seen) >= 5
    assert page["next"] is None


def test_what_has_no_such_date_comes_last_in_both_directions_and_is_not_left_out(home: ApiClient) -> None:
    path = disputed(home)
    number = int(path.rpartition("/")[2])
    home.market.submitted()
    accepted(home, "planned")
    every = {each["id"] for each in home.get("/milestones?limit=100").json()["items"]}
    for sort in ("dispute_until", "-dispute_until"):
        for limit in (1, 2, 100):
            dates, seen, cursor = [], [], ""
            while True:
                page = home.get(f"/milestones?limit={limit}&sort={sort}{cursor}").json()
                seen += [each["id"] for each in page["items"]]
                dates += [each["dispute_until"] for each in page["items"]]
                if not page["has_more"]:
                    break
                cursor = f"&cursor={page['next']}"
            assert (set(seen), len(seen)) == (every, len(every)), (sort, limit)
            there = [each for each in dates if each]
            assert dates == sorted(there, reverse=sort.startswith("-")) + [None] * (len(every) - len(there))
            assert number in seen[: len(there)]


def odd_cursors(cursor: str) -> Iterator[str]:
    """The same with a place and a number that no row has."""
    stamp, place, number = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    odd: tuple[Any, ...] = (True, None, -1, 1.5, 2**53, 10**40, float("inf"), float("nan"), [], {}, "x", "1")
    for each in (*((other, number) for other in odd), *((place, other) for other in odd), ("2026-01-01", 1)):
        yield base64.urlsafe_b64encode(json.dumps([stamp, *each]).encode()).decode().rstrip("=")


def test_a_cursor_goes_with_its_list_and_its_filters(home: ApiClient) -> None:
    for number in range(3):
        accepted(home, f"bid-{number}")
    cursor = home.get("/projects?limit=1").json()["next"]
    of_time = home.get("/projects?limit=1&sort=created_at").json()["next"]
    assert home.get(f"/projects?limit=2&cursor={cursor}").status_code == 200
    for address in (
        f"/projects?sort=id&cursor={cursor}",
        f"/projects?status=ACTIVE&cursor={cursor}",
        f"/milestones?cursor={cursor}",
        "/projects?cursor=bm90LWEtY3Vyc29y",
        "/projects?cursor=W10",
        "/projects?cursor=MQ",
        *(f"/projects?limit=1&cursor={odd}" for odd in odd_cursors(cursor)),
        *(f"/projects?limit=1&sort=created_at&cursor={odd}" for odd in odd_cursors(of_time)),
    ):
        refused = home.get(address)
        assert (refused.status_code, code(refused)) == (422, "cursor_unfit"), address
    for address in (
        "/projects?colour=red",
        "/projects?limit=0",
        "/projects?limit=101",
        "/projects?sort=title",
    ):
        assert code(home.get(address)) == "request_invalid", address


def test_lists_are_filtered_by_what_they_are_asked(home: ApiClient) -> None:
    path = disputed(home)
    accepted(home, "second")
    number = int(path.rpartition("/")[2])
    first = home.get(path).json()["project"]

    def found(address: str, key: str = "id") -> list[Any]:
        return [each[key] for each in home.get(address).json()["items"]]

    assert found("/milestones?status=DISPUTED") == [number]
    assert len(found("/milestones?status=DISPUTED&status=AWAITING_FUNDING")) == 2
    assert found(f"/milestones?project={first}&payment_state=PAID_HELD") == [number]
    assert found("/payments?state=PAID_HELD", "milestone") == [number]
    assert found("/projects?bid_reference=second", "bid_reference") == ["second"]
    assert found(f"/projects?payer={home.payee}") == []
    assert len(found(f"/projects?payee={home.payee}&payer={home.payer}")) == 2
    assert len(found(f"/disputes?party={home.payee}&status=OPEN")) == 1
    assert found("/disputes?status=RESOLVED") == []
    assert found("/milestones?sort=dispute_until")[0] == number
    assert set(found("/parties?role=PAYEE", "role")) == {"PAYEE"}
    kinds = found(f"/emails?party={home.payee}&milestone={number}", "kind")
    assert "dispute_opened" in kinds


def test_a_milestone_shows_its_money_its_deadlines_and_what_holds_it(home: ApiClient) -> None:
    known = lived(home)
    shown = home.get(f"/milestones/{known['milestone_id']}").json()
    assert [each["id"] for each in shown["refunds"]] == [known["refund_id"]]
    assert [each["id"] for each in shown["payouts"]] == [known["payout_id"]]
    waiting = home.market.submitted()
    here = home.get(f"/milestones/{waiting.milestone}").json()
    assert all(here[name] for name in ("next_reminder_at", "auto_approve_at", "dispute_until"))
    held = home.get(f"/milestones/{home.market.get(Hold, known['hold']).milestone_id}").json()
    assert [(each["id"], each["kind"]) for each in held["holds"]] == [(known["hold"], "MANUAL")]


def test_a_hold_on_a_payee_is_listed_shown_with_the_party_and_named_where_money_waits(
    home: ApiClient,
) -> None:
    market = home.market
    there, cora = market.submitted(), market.as_staff("cora")
    placed = market.act(payee_holds.place, cora, party_id=market.payee_id, reason="A word of staff.")
    silent = {"party_id": market.payee_id, "reason": "He cheats.", "kind": HoldKind.RISK}
    market.act(payee_holds.place, cora, **silent)
    market.act(verification.approve, market.payer, milestone_id=there.milestone)
    (listed,) = home.get(f"/payee-holds?party={home.payee}&active=true").json()["items"]
    assert (listed["id"], listed["party"], listed["lifted_at"]) == (placed.id, home.payee, None)
    (party,) = home.get(f"/parties?external_id={home.payee}").json()["items"]
    assert party["holds"] == [listed]
    waits = home.get(f"/milestones/{there.milestone}").json()["release_waits_for"]
    assert [each["code"] for each in waits] == ["payee_hold", "waits"]
    assert "cheats" not in str(waits)
    market.act(payee_holds.lift, market.as_staff("ada"), hold_id=placed.id, reason="Fine.")
    (party,) = home.get(f"/parties?external_id={home.payee}").json()["items"]
    assert party["holds"] == []
    assert [each["id"] for each in home.get("/payee-holds?active=false").json()["items"]] == [placed.id]
    assert home.get(f"/payee-holds?party={home.payer}").json()["items"] == []


def test_what_a_payee_owes_is_read_with_its_instalments_and_no_word_of_staffs(home: ApiClient) -> None:
    market = home.market
    assert home.get("/debts").json()["items"] == []
    owes(market, 30_000, "lost")
    open_debt = {"owed": {"minor": 30_000, "currency": "USD"}, "due": {"minor": 30_000, "currency": "USD"}}
    assert home.get(f"/debts?party={home.payee}").json()["items"] == [
        {"payee": home.payee, "debts": [{**open_debt, "instalments": []}]}
    ]
    first = market.now.date() + timedelta(days=10)
    rows = [Instalment(first + timedelta(days=30 * n), Money(15_000, "USD")) for n in range(2)]
    agreed = {"party_id": market.payee_id, "instalments": rows, "reason": "By telephone; she was angry."}
    market.act(repayment_plans.agree, market.as_staff("fay"), **agreed)
    pays(market, 4_000, "came")
    answer = home.get("/debts").json()
    assert "angry" not in str(answer)
    ((debt,),) = (each["debts"] for each in answer["items"])
    assert debt == {
        "owed": {"minor": 26_000, "currency": "USD"},
        "due": {"minor": 0, "currency": "USD"},
        "instalments": [
            {
                "due_on": (first + timedelta(days=30 * n)).isoformat(),
                "amount": {"minor": 15_000, "currency": "USD"},
                "paid": {"minor": 4_000 if n == 0 else 0, "currency": "USD"},
                "due": False,
            }
            for n in range(2)
        ],
    }


def test_what_is_silent_stays_silent_wherever_it_could_be_read(home: ApiClient) -> None:
    there = home.market.submitted()
    cora = home.market.as_staff("cora")
    placed = {"milestone_id": there.milestone, "reason": "He cheats.", "kind": HoldKind.RISK}
    hold = home.market.act(holds.place, cora, **placed)
    noted = {"project_id": there.project, "kind": ReportKind.OTHER, "details": "Staff heard of it."}
    report = home.market.act(reports.file, cora, **noted)
    shown = home.get(f"/milestones/{there.milestone}")
    assert (shown.json()["holds"], shown.json()["release_waits_for"]) == ([], [])
    for address in ("/holds", "/holds?active=true", f"/holds?milestone={there.milestone}", "/reports"):
        assert home.get(address).json()["items"] == [], address
    assert code(home.get(f"/reports/{report.id}")) == "not_found"
    assert "cheats" not in shown.text
    assert hold.kind == HoldKind.RISK


def test_a_review_that_ended_in_a_hold_goes_on_for_those_outside(home: ApiClient) -> None:
    there = home.market.funded()
    said = {"party": home.payer, "kind": "THREAT", "details": "He shouted."}
    home.post(f"/projects/{there.project}/reports", said)
    (review,), (report,) = home.market.all(RiskReview), home.market.all(Report)
    cora = home.market.as_staff("cora")
    before = home.get("/risk-reviews?open=true").json()["items"]
    settled = {"report_id": report.id, "outcome": reports.ReportOutcome.UPHELD, "note": "He did."}
    home.market.act(reports.settle, cora, **settled)
    home.market.act(risk_reviews.settle, cora, review_id=review.id, outcome=ReviewOutcome.HELD, note="Held.")
    assert [each["cleared_at"] for each in before] == [None]
    assert home.get("/risk-reviews?open=true").json()["items"] == before
    assert home.get("/risk-reviews?open=false").json()["items"] == []


def test_a_decision_is_read_with_the_e_mails_that_told_it(home: ApiClient) -> None:
    known = lived(home)
    decision = home.get(f"/disputes/{known['dispute_id']}").json()["decision"]
    assert (decision["status"], decision["outcome"], decision["ground"]) == (
        "EXECUTED",
        "PARTIAL_RELEASE",
        "PARTIAL_WORK",
    )
    mails = [home.get(f"/emails/{number}").json() for number in decision["emails"]]
    assert {home.payer, home.payee} == {each["party"] for each in mails}
    assert {each["dispute"] for each in mails} == {known["dispute_id"]}
    assert all(each["text"] and each["html"] for each in mails)
    listed = home.get(f"/emails?dispute={known['dispute_id']}&limit=100").json()["items"]
    assert set(decision["emails"]) <= {each["id"] for each in listed}


def test_what_is_written_to_staff_is_no_e_mail_of_a_party(home: ApiClient) -> None:
    lived(home)
    to_staff = [each.id for each in home.market.all(Notification) if each.staff_id]
    assert to_staff
    assert code(home.get(f"/emails/{to_staff[0]}")) == "not_found"
    listed = {each["id"] for each in home.get("/emails?limit=100").json()["items"]}
    assert listed.isdisjoint(to_staff)


def test_evidence_comes_back_as_a_file_and_never_as_a_page(home: ApiClient) -> None:
    known = lived(home)
    address = f"/evidence/{known['evidence_id']}/file"
    original = home.get(address)
    assert original.content == picture()
    drawn = home.get(f"{address}?reencoded=true")
    assert (drawn.content[:3], drawn.content == original.content) == (b"\xff\xd8\xff", False)
    for answer in (original, drawn):
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        assert answer.headers["x-content-type-options"] == "nosniff"
    taken = entries(home, "system:evidence:download")
    assert [each["by_key"] for each in taken] == [home.issued.api_key.split("_")[1]] * 2


def test_only_pictures_and_videos_have_a_copy_of_the_desks_own(home: ApiClient) -> None:
    _, path = funded(home)
    told = home.upload(f"{path}/evidence", party=home.payer, file=("a.txt", b"<b>Hello</b>", "text/plain"))
    number = told.json()["id"]
    assert home.get(f"/evidence/{number}/file").content == b"<b>Hello</b>"
    assert code(home.get(f"/evidence/{number}/file?reencoded=true")) == "not_found"


def test_evidence_that_was_erased_or_damaged_is_not_given_back(home: ApiClient) -> None:
    _, path = funded(home)
    home.upload(f"{path}/evidence", party=home.payer, file=("a.txt", b"Hello", "text/plain"))
    (row,) = home.market.all(Evidence)
    home.market.desk.evidence.erase(row.uploaded_by, retention=None)
    erased = home.get(f"/evidence/{row.id}/file")
    assert (code(erased), erased.json()["facts"]) == ("files_erased", {"party": home.name(row.uploaded_by)})


def test_a_receipt_is_a_paper_too_and_taking_it_is_on_record(home: ApiClient) -> None:
    known = lived(home)
    kinds = {each["kind"] for each in home.get("/receipts").json()["items"]}
    assert kinds == {"FUNDING", "RELEASE", "REFUND"}
    receipt = home.get(f"/receipts/{known['receipt_id']}").json()
    assert sum(each["amount"]["minor"] for each in receipt["lines"]) == receipt["total"]["minor"]
    paper = home.get(f"/receipts/{known['receipt_id']}/pdf")
    assert paper.content[:5] == b"%PDF-"
    assert receipt["number"] in paper.headers["content-disposition"]
    assert len(entries(home, "system:receipt:download")) == 1


def test_a_question_of_staff_is_in_the_list_as_in_the_dispute(home: ApiClient) -> None:
    there = home.market.in_mediation()
    asked = {"question": "When?", "answer_due_at": home.market.now + timedelta(days=3)}
    home.market.act(
        conversation.ask,
        home.market.as_staff("mia"),
        case_id=there.case,
        party_id=home.market.payee_id,
        **asked,
    )
    (listed,) = home.get("/disputes?status=WAITING_PARTY").json()["items"]
    assert listed == home.get(f"/disputes/{there.case}").json()
    assert (listed["waiting_on"], listed["request"]["question"]) == (home.payee, "When?")


@pytest.mark.parametrize("path", PATHS)
def test_every_list_is_described_with_its_orders(path: str) -> None:
    told = conformity.description()["paths"][f"/{path}"]["get"]["parameters"]
    names = {each["name"] for each in told}
    assert {"limit", "cursor", "sort"} <= names
    (listing,) = (each for each in LISTS if each.path == path)
    orders = listing.asked.model_json_schema()["properties"]["sort"]["enum"]
    assert set(orders) == {f"{mark}{name}" for name in listing.sorts for mark in ("", "-")}


def test_what_is_in_force_is_read_by_each_marketplace(home: ApiClient, law: ApiClient) -> None:
    here, there = home.get("/platform").json(), law.get("/platform").json()
    assert (here["platform"], there["platform"]) == ("home_services", "legal_services")
    assert (here["platform_fee_bps"], here["deadlines"]["dispute_window"]) == (250, 5 * 86_400)
    assert (there["conflict_check"], there["deadlines"]["reminder_every"]) == (True, None)
    assert {each["project_type"] for each in here["project_types"]}.isdisjoint(
        each["project_type"] for each in there["project_types"]
    )
    assert {each["currency"]: each["payable"] for each in here["currencies"]}["USD"]
    assert not {"high_value_review", "second_person_above", "contact_attempts"} & here.keys()
