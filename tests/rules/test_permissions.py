"""Who may do what: the whole table, its complement, and the ties that roles do not replace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from core.rules import permissions
from core.rules.permissions import BY_SYSTEM, SYSTEM, TABLE, Actor, Permission, Role

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def staff(*roles: Role, signed_in: datetime | None = None) -> Actor:
    return Actor("staff", 7, frozenset(roles), signed_in)


def test_every_permission_is_somebodys() -> None:
    assert set(TABLE) == set(Permission)
    assert all(TABLE.values())


@pytest.mark.parametrize(("permission", "role"), list(product(Permission, Role)))
def test_a_role_may_do_what_the_table_gives_it_and_nothing_else(permission: Permission, role: Role) -> None:
    actor = staff(role, signed_in=NOW)
    assert permissions.allowed(actor, permission) is (role in TABLE[permission])
    if role in TABLE[permission]:
        permissions.require(actor, permission, NOW)
        return
    with pytest.raises(permissions.NotPermitted) as refused:
        permissions.require(actor, permission, NOW)
    assert permission.words in refused.value.message


@pytest.mark.parametrize("permission", Permission)
def test_parties_and_staff_without_a_role_have_no_permission_at_all(permission: Permission) -> None:
    for actor in (
        staff(),
        Actor("party", 7),
        Actor("party", 7, frozenset(Role)),
        Actor("staff", None, frozenset(Role)),
    ):
        assert not permissions.allowed(actor, permission)


@pytest.mark.parametrize("permission", Permission)
def test_the_system_does_only_what_timers_do(permission: Permission) -> None:
    assert permissions.allowed(SYSTEM, permission) is (permission in BY_SYSTEM)


def test_the_system_never_decides_approves_or_changes_rules() -> None:
    for permission in (
        Permission.DECIDE,
        Permission.APPROVE_DECISION,
        Permission.CHANGE_POLICY,
        Permission.RELEASE_HOLD,
    ):
        assert permission not in BY_SYSTEM


def test_an_administrator_is_not_exempt() -> None:
    administrator = staff(Role.ADMINISTRATOR)
    for permission in (Permission.DECIDE, Permission.EXPORT_AUDIT, Permission.SETTLE_SUSPENSE):
        assert not permissions.allowed(administrator, permission)


def test_roles_add_up() -> None:
    both = staff(Role.MEDIATOR, Role.FINANCE)
    assert permissions.allowed(both, Permission.DECIDE)
    assert permissions.allowed(both, Permission.RUN_RECONCILIATION)


def test_a_party_acts_for_itself_only() -> None:
    permissions.require_party(Actor("party", 5), 5)
    for actor in (Actor("party", 6), Actor("staff", 5, frozenset(Role)), SYSTEM, Actor("party", None)):
        with pytest.raises(permissions.NotYours):
            permissions.require_party(actor, 5)


def test_a_fresh_sign_in_lasts_five_minutes_to_the_microsecond() -> None:
    limit = timedelta(minutes=5)
    permissions.require_fresh(staff(signed_in=NOW - limit), NOW)
    permissions.require_fresh(staff(signed_in=NOW), NOW)
    for signed_in in (NOW - limit - TICK, NOW + TICK, None):
        with pytest.raises(permissions.StepUpRequired, match="within 5 minutes"):
            permissions.require_fresh(staff(signed_in=signed_in), NOW)


def test_the_system_does_not_sign_in() -> None:
    permissions.require_fresh(SYSTEM, NOW)


def test_a_refusal_says_in_english_what_one_may_not_and_who_may() -> None:
    mia = Actor("staff", 1, frozenset({Role.MEDIATOR}))
    with pytest.raises(permissions.NotPermitted) as refused:
        permissions.require(mia, Permission.READ_LEDGER)
    assert refused.value.message == (
        "You may not read the ledger: that is for finance, compliance and administrators."
    )
    singular = {"case", "hold", "ledger", "period", "payout", "policy", "audit", "journal", "fee", "debt"}
    for permission in Permission:
        first, *others = permission.words.split()
        assert first not in singular
        bare = [
            word for before, word in zip([first, *others], others, strict=False)
            if word in singular and before not in ("a", "an", "the", "bank", "audit", "escalated", "e-mail", "legal")
        ]  # fmt: skip
        assert bare == [], permission.words
