"""What cannot be undone is named first."""

from __future__ import annotations

import pytest

from core.rules import irreversible


@pytest.mark.parametrize("typed", ["CB-6", " cb-6 "])
def test_only_the_reference_itself_confirms_what_cannot_be_undone(typed: str) -> None:
    irreversible.check_typed(typed, "CB-6")
    for other in ("", "CB-66", "6", "CB-7", "yes"):
        with pytest.raises(irreversible.NotTyped):
            irreversible.check_typed(other, "CB-6")
