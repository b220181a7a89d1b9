"""How long personal data is kept, by kind: lines of each marketplace's policy (internal policy: ask counsel).

Of documents, a country that is named here counts before the marketplace's own number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.policy.profile import Profile

YEAR = timedelta(days=365)
DOCUMENTS_KEPT_IN: Mapping[str, timedelta] = {"AT": 7 * YEAR, "GB": 6 * YEAR, "US": 7 * YEAR}


def documents_kept(profile: Profile, country: str) -> timedelta:
    """For how long names stand in receipts, invoices and credit notes of a party of this country."""
    return DOCUMENTS_KEPT_IN.get(country, profile.documents_kept)


@dataclass(frozen=True)
class Kept:
    """A kind of personal data: kept for the time of a line of the policy, after an event."""

    field: str
    what: str
    after: str


KINDS = (
    Kept("person_kept", "Names, addresses, words and files of people", "All of their projects ended"),
    Kept("newcomer_kept", "Names and addresses of people without a project", "They became known"),
    Kept("documents_kept", "Names of erased people in documents", "The date of the document"),
)
