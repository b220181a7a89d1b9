"""A change of the rules takes two administrators, an honest profile, and touches no money in flight."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones.milestone_context import open_milestone
from core.actions.staff import install, policy_change
from core.db import Database
from core.errors import ChangedMeanwhile, NotFound, ReasonMissing
from core.money import Money
from core.policy import HOME_SERVICES, Platform, PolicyContradicts, WithdrawalMethod
from core.queries import policy, policy_proposals
from core.records import PolicyProposal, PolicyVersion, Project
from core.rules import policy_values
from core.rules.fees import withdrawal_fee
from core.rules.permissions import SYSTEM, NotPermitted, Role
from core.rules.proposals import MakerIsChecker, ProposalEnded, ProposalWaits
from tests import builders
from tests.builders import Town

SIX_DAYS = {"dispute_window": timedelta(days=6)}


@pytest.fixture
def town(database: Database) -> Town:
    """With a second administrator, Alf."""
    town = builders.a_town(database)
    known = {"issuer": "demo", "subject": "alf", "name": "Alf Berg", "email": "alf@example.com"}
    row = town.act(install.add_staff, SYSTEM, roles=(Role.ADMINISTRATOR,), **known)
    town.staff["alf"], town.roles["alf"] = row.id, frozenset({Role.ADMINISTRATOR})
    return town


def propose(town: Town, changes: Any = None, by: str = "ada", **also: Any) -> PolicyProposal:
    given = {
        "platform": Platform.HOME_SERVICES,
        "changes": changes or SIX_DAYS,
        "reason": "Asked for.",
        **also,
    }
    return town.act(policy_change.propose, town.as_staff(by), **given)


def approve(town: Town, proposal: PolicyProposal, by: str = "alf") -> PolicyVersion:
    return town.act(policy_change.approve, town.as_staff(by), proposal_id=proposal.id)


def policy_of(town: Town, told: Any) -> int:
    return town.read(lambda session: session.get_one(Project, told.project).policy_version_id)


def test_two_administrators_publish_a_version_and_only_new_projects_live_under_it(town: Town) -> None:
    before = builders.funded(town)
    version = approve(town, propose(town))
    assert (version.version, version.snapshot["dispute_window"]) == (2, 6 * 86_400)
    assert (version.proposed_by, version.approved_by) == (town.staff["ada"], town.staff["alf"])
    after = builders.funded(town)
    assert policy_of(town, before) != version.id
    assert policy_of(town, after) == version.id


def test_the_version_waits_for_its_day(town: Town) -> None:
    version = approve(town, propose(town, effective_at=town.now + timedelta(days=3)))
    assert policy_of(town, builders.funded(town)) != version.id
    town.wait(days=3)
    assert policy_of(town, builders.funded(town)) == version.id
    with pytest.raises(policy_change.EffectiveInThePast):
        propose(town, effective_at=town.now - timedelta(seconds=1))


def test_whoever_proposes_does_not_approve_not_even_in_sql(town: Town, owner: Database) -> None:
    proposal = propose(town)
    with pytest.raises(MakerIsChecker):
        approve(town, proposal, by="ada")
    with pytest.raises(DBAPIError, match="two_people"), owner.transaction() as session:
        session.execute(
            text(
                "update policy_proposals set status = 'PUBLISHED', settled_by = proposed_by, settled_at = now()"
            )
        )


@pytest.mark.parametrize("subject", ["mia", "fay", "cora"])
def test_only_administrators_change_the_rules(town: Town, subject: str) -> None:
    with pytest.raises(NotPermitted):
        propose(town, by=subject)
    proposal = propose(town)
    with pytest.raises(NotPermitted):
        approve(town, proposal, by=subject)


def test_a_profile_that_contradicts_itself_cannot_be_proposed(town: Town) -> None:
    with pytest.raises(PolicyContradicts):
        propose(town, {"auto_approve_after": timedelta(days=4)})
    assert town.read(lambda session: session.scalars(select(PolicyProposal)).all()) == []


def test_what_is_no_rule_or_no_change_is_refused(town: Town) -> None:
    for changes in ({"platform": "legal_services"}, {"version": 9}, {"colour": 1}):
        with pytest.raises(policy_change.NotARule):
            propose(town, changes)
    with pytest.raises(policy_change.PolicyUnchanged):
        propose(town, {"dispute_window": HOME_SERVICES.dispute_window})
    with pytest.raises(ReasonMissing):
        propose(town, reason=" ")


def test_one_proposal_of_a_profile_stands_at_a_time(town: Town) -> None:
    first = propose(town)
    with pytest.raises(ProposalWaits):
        propose(town, by="alf")
    town.act(policy_change.reject, town.as_staff("alf"), proposal_id=first.id, note="Too long.")
    with pytest.raises(ProposalEnded):
        approve(town, first)
    second = propose(town)
    town.act(policy_change.reject, town.as_staff("ada"), proposal_id=second.id, note="A slip.")
    found = town.read(lambda s: s.scalars(select(PolicyProposal.status).order_by(PolicyProposal.id)).all())
    assert found == ["REJECTED", "WITHDRAWN"]
    with pytest.raises(NotFound):
        town.act(policy_change.reject, town.as_staff("ada"), proposal_id=10**9, note="No.")


def test_a_proposal_on_an_old_version_is_void(town: Town, owner: Database) -> None:
    proposal = propose(town)
    newer = HOME_SERVICES.revised(decisions_a_day=3)
    with owner.transaction() as session:
        session.add(
            PolicyVersion(profile=newer.name, version=2, snapshot=newer.snapshot(), effective_at=town.now)
        )
    with pytest.raises(ChangedMeanwhile):
        approve(town, proposal)


def test_the_log_says_who_changed_what_from_what_to_what(town: Town) -> None:
    approve(town, propose(town))
    rows = town.read(
        lambda s: s.execute(
            text("select action, before, after from audit_entries where action like '%:policy:%' order by id")
        ).all()
    )
    assert [row.action for row in rows] == ["administrator:policy:propose", "administrator:policy:publish"]
    assert rows[1].before["dispute_window"] == 5 * 86_400
    assert rows[1].after["dispute_window"] == 6 * 86_400


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("dispute_window", "6 days", timedelta(days=6)),
        ("dispute_window", "none", None),
        ("deadlock_after", "72 hours", timedelta(hours=72)),
        ("platform_fee_bps", "2.75 %", 275),
        ("platform_fee_bps", "3%", 300),
        ("auto_approve", "No", False),
        ("decisions_a_day", "4", 4),
        ("tax_id", " EIN 12-3456789 ", "EIN 12-3456789"),
        ("tax_id", "none", ""),
    ],
)
def test_a_value_is_read_as_it_is_written_on_the_page(name: str, typed: str, value: Any) -> None:
    assert policy_values.read(name, getattr(HOME_SERVICES, name), typed, "USD") == value


def test_an_amount_changes_in_one_currency_only() -> None:
    before = HOME_SERVICES.high_value_review
    after = policy_values.read("high_value_review", before, "7500.00", "USD")
    assert after.of("USD") == Money(750_000, "USD")
    assert after.of("JPY") == before.of("JPY")


@pytest.mark.parametrize(
    ("typed", "bps", "minimum", "fixed"),
    [
        ("1.5 %, at least 0.75, plus 0.25", 150, 75, 25),
        ("plus 3.00", 0, 0, 300),
        ("2%", 200, 0, 0),
        ("Free", 0, 0, 0),
    ],
)
def test_a_tariff_is_read_by_its_parts_in_one_currency(
    typed: str, bps: int, minimum: int, fixed: int
) -> None:
    before = HOME_SERVICES.instant
    after = policy_values.read("instant", before, typed, "USD")
    assert (after.bps, after.minimum.of("USD").minor, after.fixed.of("USD").minor) == (bps, minimum, fixed)
    assert (after.minimum.of("JPY"), after.fixed.of("JPY")) == (
        before.minimum.of("JPY"),
        before.fixed.of("JPY"),
    )


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("dispute_window", "soon"),
        ("dispute_window", "5"),
        ("platform_fee_bps", "2.555 %"),
        ("platform_fee_bps", "-1 %"),
        ("auto_approve", "maybe"),
        ("decisions_a_day", "²"),
        ("decisions_a_day", "two"),
        ("instant", "1.5 % or so"),
        ("instant", "1 %, 2 %"),
        ("instant", "at least"),
    ],
)
def test_what_cannot_be_read_says_how_to_write_it(name: str, typed: str) -> None:
    with pytest.raises(policy_values.ValueUnreadable) as refused:
        policy_values.read(name, getattr(HOME_SERVICES, name), typed, "USD")
    assert typed in refused.value.message


def test_a_tariff_is_changed_by_two_and_running_projects_keep_theirs(town: Town) -> None:
    told = builders.funded(town)
    tariff = policy_values.read("wire", HOME_SERVICES.wire, "plus 20.00", "USD")
    proposal = propose(town, {"wire": tariff})
    with pytest.raises(MakerIsChecker):
        approve(town, proposal, by="ada")
    approve(town, proposal)
    amount = Money(100_000, "USD")
    old = town.read(lambda s: open_milestone(s, told.milestone, lock=False)).profile
    later = builders.funded(town)
    new = town.read(lambda s: open_milestone(s, later.milestone, lock=False)).profile
    assert withdrawal_fee(amount, WithdrawalMethod.WIRE, old) == Money(1_500, "USD")
    assert withdrawal_fee(amount, WithdrawalMethod.WIRE, new) == Money(2_000, "USD")


def test_a_tariff_that_would_swallow_withdrawals_is_not_even_proposed(town: Town) -> None:
    tariff = policy_values.read("wire", HOME_SERVICES.wire, "plus 5000.00", "USD")
    with pytest.raises(PolicyContradicts, match="least fee"):
        propose(town, {"wire": tariff})


def warned(town: Town, changes: dict[str, Any]) -> tuple[str, ...]:
    return policy_change.new_warnings(HOME_SERVICES, policy_change.revised(HOME_SERVICES, changes))


def test_two_administrators_cannot_publish_a_fee_of_almost_all_of_it(town: Town) -> None:
    with pytest.raises(PolicyContradicts, match="mistyped its fee"):
        propose(town, {"platform_fee_bps": 9_999})


def test_a_number_that_is_possible_and_unusual_is_confirmed_by_both(town: Town) -> None:
    changes = {"platform_fee_bps": 1_500, "decisions_a_day": 12}
    with pytest.raises(policy_change.WarningsUnread) as unread:
        propose(town, changes)
    assert "Platform fee" in unread.value.message
    seen = warned(town, changes)
    assert len(seen) == 2
    with pytest.raises(policy_change.WarningsUnread):
        propose(town, changes, seen=seen[:1])
    proposal = propose(town, changes, seen=seen)
    with pytest.raises(policy_change.WarningsUnread):
        approve(town, proposal)
    version = town.act(policy_change.approve, town.as_staff("alf"), proposal_id=proposal.id, seen=seen)
    assert version.snapshot["platform_fee_bps"] == 1_500


def test_what_was_usual_before_is_not_asked_again(town: Town) -> None:
    assert warned(town, {"decisions_a_day": 3}) == ()


def test_several_rules_in_one_proposal_change_their_source_to_who_changed_them(town: Town) -> None:
    changes = {**SIX_DAYS, "decisions_a_day": 3}
    proposal = propose(town, changes)
    shown = town.read(policy_proposals.proposals)
    assert [(each.name, each.before, each.after) for each in shown[0].changes] == [
        ("dispute_window", HOME_SERVICES.dispute_window, timedelta(days=6)),
        ("decisions_a_day", 2, 3),
    ]
    assert shown[0].changes[0].source == "milestone-payment-flow, Key Business Rules 3"
    version = approve(town, proposal)
    every = town.read(policy.versions)
    profile = next(each.profile for each in every if each.id == version.id)
    origins = policy.sources(every, profile)
    day = f"{town.now.day} {town.now:%B %Y}"
    said = f"changed by Ada Berg and Alf Berg, in force from {day} (version 2)"
    names = dict.fromkeys(changes, town.database)
    assert {name for name, source in origins.items() if source == said} == names.keys(), origins
    first = policy.sources(every, HOME_SERVICES)
    assert first["dispute_window"] == "milestone-payment-flow, Key Business Rules 3"


def test_a_proposal_on_an_old_version_is_shown_as_stale(town: Town, owner: Database) -> None:
    propose(town)
    newer = HOME_SERVICES.revised(decisions_a_day=3)
    assert [each.stale for each in town.read(policy_proposals.proposals)] == [False]
    with owner.transaction() as session:
        session.add(
            PolicyVersion(profile=newer.name, version=2, snapshot=newer.snapshot(), effective_at=town.now)
        )
    assert [each.stale for each in town.read(policy_proposals.proposals)] == [True]
