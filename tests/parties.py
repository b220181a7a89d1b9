"""A small marketplace for tests that are about something else: two parties, a project, a milestone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from core.db import Database
from core.policy import HOME_SERVICES, Platform
from core.records import Milestone, Party, PolicyVersion, Project
from core.rules.permissions import Actor
from tests import unrecorded

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
numbers = count(1)
OPERATOR = Actor("operator", None, via="anna on desk-1")


@dataclass(frozen=True)
class Kitchen:
    payer: int
    payee: int
    project: int
    milestone: int


def a_kitchen(
    owner: Database, *, title: str = "New kitchen", milestone: str = "Cabinets", **party: str
) -> Kitchen:
    """One home-services project with one milestone of $1,000.00; `party` overrides what both people are."""
    number = next(numbers)
    with owner.transaction() as session:
        people = [
            Party(
                **{
                    "platform": Platform.HOME_SERVICES,
                    "external_id": f"{role.lower()}-{number}",
                    "role": role,
                    "name": name,
                    "email": f"{name.split()[0].lower()}{number}@example.com",
                    "created_at": NOW,
                    **party,
                }
            )
            for role, name in (("PAYER", "Ana Lindqvist"), ("PAYEE", "Ben Okafor"))
        ]
        policy = PolicyVersion(
            profile=Platform.HOME_SERVICES,
            version=1000 + number,
            snapshot=HOME_SERVICES.snapshot(),
            effective_at=NOW,
        )
        session.add_all([*people, policy])
        session.flush()
        project = Project(
            platform=Platform.HOME_SERVICES,
            bid_reference=f"bid-{number}",
            title=title,
            scope="Cabinets and worktop",
            project_type="KITCHEN",
            size="SMALL",
            fee_mode="STAGED",
            payer_id=people[0].id,
            payee_id=people[1].id,
            currency="USD",
            total_minor=100_000,
            policy_version_id=policy.id,
            created_at=NOW,
        )
        session.add(project)
        session.flush()
        part = Milestone(
            project_id=project.id,
            position=1,
            title=milestone,
            deliverable="Cabinets hang level",
            amount_minor=100_000,
            currency="USD",
            acceptance_rule="AUTO_APPROVE",
        )
        session.add(part)
        session.flush()
        unrecorded.forgive(session)
        return Kitchen(people[0].id, people[1].id, project.id, part.id)
