"""How long the law keeps what else would be erased (internal policy: ask counsel).

A country that is named here counts before the marketplace's own number, which stands in its policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from core.policy.profile import Profile

YEAR = timedelta(days=365)
DOCUMENTS_KEPT_IN: Mapping[str, timedelta] = {"AT": 7 * YEAR, "GB": 6 * YEAR, "US": 7 * YEAR}


def documents_kept(profile: Profile, country: str) -> timedelta:
    """For how long names stand in receipts, invoices and credit notes of a party of this country."""
    return DOCUMENTS_KEPT_IN.get(country, profile.documents_kept)
