"""Names that have no enum of their own: the description lists them, from the table that knows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import WithJsonSchema
from typing_extensions import TypeAliasType

from core.letters.delivery_rules import HANDLING, MUTABLE
from core.money import CURRENCIES
from core.rules import engagement, holds
from core.rules.acceptance import OWN_DAYS, AcceptanceRule


def one_of(names: Iterable[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": sorted(names)})


CurrencyCode = TypeAliasType("CurrencyCode", Annotated[str, one_of(CURRENCIES)])
WaitCode = TypeAliasType("WaitCode", Annotated[str, one_of(holds.OUTSIDE)])
MissingCode = TypeAliasType("MissingCode", Annotated[str, one_of(engagement.MISSING)])
MutableLetter = TypeAliasType("MutableLetter", Annotated[str, one_of(MUTABLE)])
EmailKind = TypeAliasType("EmailKind", Annotated[str, one_of(HANDLING)])
ToldHold = TypeAliasType(
    "ToldHold", Annotated[str, one_of(kind for kind in holds.HoldKind if kind not in holds.SILENT)]
)
AcceptanceRuleSchema = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "enum": [each.value for each in AcceptanceRule]},
            {"type": "string", "pattern": f"^{OWN_DAYS.pattern}$"},
        ]
    }
)
AcceptanceRuleName = TypeAliasType("AcceptanceRuleName", Annotated[str, AcceptanceRuleSchema])
