"""What wins a chargeback: every reason has its list, of fields that the bank knows."""

from __future__ import annotations

import pytest
from stripe.params._dispute_update_params import DisputeUpdateParamsEvidence

from core.rules.chargeback_checklists import CHECKLISTS, GENERAL, checklist, fields_in_order, missing
from core.rules.chargebacks import DOCUMENTS, FIELDS

KNOWN = {*FIELDS, *DOCUMENTS}


def test_the_provider_knows_every_field_that_we_do() -> None:
    assert DisputeUpdateParamsEvidence.__annotations__.keys() >= KNOWN


@pytest.mark.parametrize("reason", CHECKLISTS)
def test_a_checklist_asks_only_for_fields_that_can_be_filled(reason: str) -> None:
    asked = [field for need in checklist(reason).needs for field in need.fields]
    assert set(asked) <= KNOWN
    assert len(asked) == len(set(asked)), "each is asked for once"
    assert any(need.decisive for need in checklist(reason).needs)


@pytest.mark.parametrize("reason", [*CHECKLISTS, "insufficient_funds", "of_tomorrow"])
def test_what_is_decisive_and_missing_is_named_until_one_of_its_fields_is_filled(reason: str) -> None:
    wanted = [need for need in checklist(reason).needs if need.decisive]
    assert missing(reason, []) == wanted
    assert missing(reason, [wanted[0].fields[-1]]) == wanted[1:]
    assert missing(reason, KNOWN) == []


def test_a_reason_without_a_list_of_its_own_has_the_general_one() -> None:
    assert checklist("insufficient_funds") is GENERAL


@pytest.mark.parametrize("reason", CHECKLISTS)
def test_the_fields_of_the_checklist_come_first_and_none_is_lost(reason: str) -> None:
    order = fields_in_order(reason, list(FIELDS))
    assert sorted(order) == sorted(FIELDS)
    first = [field for need in checklist(reason).needs for field in need.fields if field in FIELDS]
    assert order[: len(first)] == first
