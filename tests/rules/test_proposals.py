"""One law for all that takes two people: a proposal stands on its maker, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.policy.limits import PROPOSAL_STANDS
from core.rules import proposals
from core.rules.permissions import TABLE, Role
from core.rules.proposals import TERMS, Maker, ProposalKind

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def maker(kind: ProposalKind, **other: object) -> Maker:
    roles = TABLE[TERMS[kind].make[0]]
    return Maker(**{"active": True, "roles": roles, "tied": False, "recused": False, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ProposalKind)
def test_a_proposal_stands_while_its_maker_may_propose_it(kind: ProposalKind) -> None:
    assert proposals.flaw(kind, maker(kind)) is None
    assert proposals.flaw(kind, maker(kind, active=False)) == proposals.GONE
    assert proposals.flaw(kind, maker(kind, roles=())) == proposals.NO_ROLE
    assert proposals.flaw(kind, maker(kind, tied=True)) == proposals.TIED
    assert proposals.flaw(kind, maker(kind, recused=True)) == proposals.RECUSED


@pytest.mark.parametrize("kind", ProposalKind)
def test_one_of_the_roles_that_may_is_enough_and_no_other_is(kind: ProposalKind) -> None:
    may = frozenset[Role]().union(*(TABLE[each] for each in TERMS[kind].make))
    for role in Role:
        assert (proposals.flaw(kind, maker(kind, roles={role})) is None) is (role in may)


@pytest.mark.parametrize("kind", ProposalKind)
def test_what_says_that_something_was_done_does_not_expire_and_all_else_does(kind: ProposalKind) -> None:
    late = NOW + PROPOSAL_STANDS + timedelta(seconds=1)
    assert proposals.expired(kind, NOW, NOW + PROPOSAL_STANDS) is None
    stands = kind in (ProposalKind.REFUND_RETURN, ProposalKind.CHARGEBACK_ANSWER)
    assert proposals.expired(kind, NOW, late) == (None if stands else "Nobody confirmed it within 14 days.")
