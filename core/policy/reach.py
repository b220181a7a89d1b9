"""For whom a changed rule holds once its version is in force: a project keeps the version that it began with, and what
belongs to no project, or to many, goes by the version in force."""

from __future__ import annotations

from collections.abc import Collection

from core.policy.retention import KINDS

RETENTION = frozenset(each.field for each in KINDS)
IN_EVERY_PROJECT = frozenset("issuer_name issuer_address tax_id tax_bps bank_change_hold".split())
EVERYBODY = "It holds for everybody as soon as it is in force, also for those who are here already."
EVERY_PROJECT = (
    "What it says of issuer, tax and changes of a bank holds in every project as soon as it is in force."
)
NEW_PROJECTS = (
    "Projects that begin once it is in force live under it; those that have begun keep their version."
)


def sentences(changed: Collection[str]) -> list[str]:
    """What is true of a change of these rules, and nothing of rules that it leaves alone."""
    rules = set(changed)
    others = rules - RETENTION - IN_EVERY_PROJECT
    told = [NEW_PROJECTS] * bool(others)
    told += [EVERY_PROJECT] * bool(rules & IN_EVERY_PROJECT)
    if rules & RETENTION:
        told.append(EVERYBODY if rules <= RETENTION else EVERYBODY.replace("It holds", "Retention holds"))
    return told
