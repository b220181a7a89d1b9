"""A problem's facts are for programs, its sentence for people; what the description does not name is our fault."""

from __future__ import annotations

import ast
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import core
from core.actions.milestones.orders import PaymentInFlight
from core.actions.operations.operation_keys import NoInstallationMark
from core.api.http.api_keys import ApiMasterKeyExposed, ApiMasterKeyUnfit
from core.api.http.problem_details import (
    DECLARED,
    PLAIN_CODES,
    AskedDifferently,
    for_programs,
    kinds_of,
    plain,
    problem,
)
from core.api.openapi.descriptions import facts_of
from core.errors import DeskError, NotFound, Wording
from core.gateways.payments import NeedsOperator, OutcomeUnknown, ProviderRefused
from core.ledger.journal_store import Overdraft
from core.money import Money
from core.rules import milestones
from core.rules.evidence import FileTooLarge
from core.rules.permissions import NotYours
from core.rules.projects import FundedInTurn
from core.rules.refusal_reasons import Block, Blocked
from core.rules.schedule import FeeModeNotSupported, PlannedMilestone, ScheduleRefused, check_adjustment
from core.rules.transitions import IllegalMove
from tests.api.conformity import description


def refused(error: DeskError) -> dict[str, Any]:
    return dict(json.loads(bytes(problem(error).body)))


def facts(error: DeskError) -> Any:
    return plain(for_programs(error))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PaymentInFlight(milestone=Wording("New “kitchen”", 31)), {"milestone": 31}),
        (FundedInTurn(milestone=Wording("Worktop", 32)), {"milestone": 32}),
        (FeeModeNotSupported(mode=Wording("Staged", "STAGED"), why="there is no amount"), {"mode": "STAGED"}),
        (
            FileTooLarge(file_name="a.pdf", size=Wording("9 MB", 9), limit=Wording("8 MB", 8)),
            {"file_name": "a.pdf", "size": 9, "limit": 8},
        ),
        (NotYours(actor="party contractor-815"), {"party": "contractor-815"}),
        (
            ProviderRefused(provider_code="no_account", reason="No", request_id="req_1"),
            {"provider_code": "no_account"},
        ),
        (NotFound(kind="practice flag", id=4), {"kind": "practice_flag", "id": 4}),
        (
            AskedDifferently(kind=Wording("Party", "party"), id="c-1", what="city", fields=["city"]),
            {"kind": "party", "id": "c-1", "fields": ["city"]},
        ),
        (ScheduleRefused((Block("sum", "The amounts sum to less."),)), {"blocks": [{"code": "sum"}]}),
    ],
)
def test_facts_are_ids_codes_and_numbers(error: DeskError, told: dict[str, Any]) -> None:
    assert facts(error) == told


# Their code alone says it: what they are about is the request, its key or the desk, and no object. So does that of
# whatever the payment provider did not answer clearly.
NAMES_NOTHING = frozenset(
    """answer_erased conflict cursor_unfit details_missing key_missing key_reused key_unknown message_empty
    not_permitted nothing_to_change read_only_key reason_missing request_unreadable
    signature_wrong still_busy unavailable""".split()
)


def test_a_problem_about_an_object_says_which_one() -> None:
    description()
    for inside in (ApiMasterKeyExposed, ApiMasterKeyUnfit, NoInstallationMark):
        assert refused(inside(path="", shortest=0))["code"] == "unavailable"
    said = {
        kind.code: facts_of(kind)
        for error in DECLARED
        for kind in kinds_of(error)
        if not issubclass(kind, OutcomeUnknown | NeedsOperator)
    }
    assert {each for each, names in said.items() if not names} == NAMES_NOTHING


class Anything(int):
    """A fact that can stand wherever one is: it is a number, a day and words."""

    def __format__(self, form: str) -> str:
        return "x"

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __getattr__(self, name: str) -> Anything:
        return self

    def __call__(self, *_: Any) -> Anything:
        return self


def constructed() -> set[str]:
    """The names of all that the core makes by calling it."""
    calls = (
        each.func
        for path in Path(core.__file__).parent.rglob("*.py")
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(each, ast.Call)
    )
    return {each.id if isinstance(each, ast.Name) else getattr(each, "attr", "") for each in calls}


def test_each_code_that_is_described_is_raised_somewhere_and_answered_under_its_name() -> None:
    described = set(description()["components"]["schemas"]["ProblemCode"]["enum"])
    raised = {kind.code: kind for error in DECLARED for kind in kinds_of(error)}
    assert described == raised.keys() | PLAIN_CODES
    made = constructed()
    assert {code for code, kind in raised.items() if kind.__name__ not in made} == set()
    assert raised.keys().isdisjoint(
        ("not_sent_unasked", "no_installation_mark", "api_master_key_unfit", "evidence_refused")
    )
    for code, kind in raised.items():
        refusal = kind(()) if issubclass(kind, Blocked) else kind(**dict.fromkeys(kind.fields(), Anything()))
        assert refused(refusal)["code"] == code


def test_a_milestone_of_a_schedule_that_is_refused_is_named() -> None:
    parts = [
        PlannedMilestone(title=title, deliverable="Done.", amount=Money(minor, "USD"))
        for title, minor in (("Cabinets", 100), (" ", 0), ("Worktop", 100))
    ]
    with pytest.raises(ScheduleRefused) as refusal:
        check_adjustment(parts, total=Money(300, "USD"), platform="home_services")
    assert facts(refusal.value) == {
        "blocks": [
            {"code": "title", "field": "milestones[1].title"},
            {"code": "amount", "field": "milestones[1].amount"},
            {"code": "sum"},
        ]
    }


def test_a_status_is_told_by_its_name_and_said_in_words() -> None:
    with pytest.raises(IllegalMove, match="is pending verification") as refusal:
        milestones.after("PENDING_VERIFICATION", milestones.Event.FUND)
    assert facts(refusal.value) == {"kind": "milestone", "status": "PENDING_VERIFICATION"}


def test_words_keep_their_code_on_the_way_to_a_job_and_back() -> None:
    said = pickle.loads(pickle.dumps(PaymentInFlight(milestone=Wording("Cabinets", 31))))
    assert (said.facts["milestone"], said.facts["milestone"].code) == ("Cabinets", 31)


def test_what_no_operation_names_is_a_fault_of_ours_and_says_nothing() -> None:
    broken = refused(Overdraft(account="held:31", wanted="$5", available="$4", shortfall="$1"))
    assert (broken["status"], broken["code"], broken["facts"]) == (500, "internal_fault", {})
    assert "held" not in json.dumps(broken)


def test_nobody_outside_reads_where_a_key_lies() -> None:
    told = refused(ApiMasterKeyExposed(path="/srv/desk/keys/api-master.key"))
    assert (told["status"], told["code"]) == (503, "unavailable")
    assert "/srv" not in json.dumps(told)
