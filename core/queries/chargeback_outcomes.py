"""What chargebacks cost and how many are won, by marketplace and reason, one currency a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import CHART
from core.money import Money
from core.policy import Platform
from core.rules.chargeback_checklists import checklist
from core.rules.chargebacks import win_rate


@dataclass(frozen=True)
class Outcome:
    """The chargebacks of one reason that were opened in a period, on one marketplace, in one currency.

    `lost` went back to payers; `cost` is what of it and of the fees the platform itself bore, by the ledger.
    """

    platform: Platform
    reason: str
    currency: str
    opened: int
    undecided: int
    won: int
    lost: int
    disputed: Money
    returned: Money
    fees: Money
    losses: Money

    @property
    def id(self) -> str:
        return f"{self.platform}-{self.reason}-{self.currency}"

    @property
    def title(self) -> str:
        """The checklist's name of the reason, or the provider's word for one without."""
        said = self.reason.replace("_", " ").capitalize()
        return said if checklist(self.reason).title == "General" else checklist(self.reason).title

    @property
    def rate(self) -> str:
        return win_rate(self.won, self.lost)

    @property
    def cost(self) -> Money:
        return self.fees + self.losses


# One statement whatever the number of chargebacks: each counts in the currency that the bank disputes; what was
# returned and what it cost stand in the currency in which Stripe booked it.
# The journals of those that were lost are found by milestone.
OUTCOMES = text(
    """
    with of_period as (
        select c.*, p.platform from chargebacks c
        join milestones m on m.id = c.milestone_id join projects p on p.id = m.project_id
        where c.opened_at >= :since and c.opened_at <= :until and c.status not like 'warning%'
    ), parts as (
        select platform, reason, currency, 1 as opened,
               (status in ('needs_response', 'under_review'))::int as undecided,
               (status = 'won')::int as won, (status = 'lost')::int as lost, amount_minor as disputed,
               0::bigint as returned, 0::bigint as fees, 0::bigint as losses
        from of_period
        union all
        select platform, reason, booked_currency, 0, 0, 0, 0, 0, lost_minor, 0, 0 from of_period where lost_minor > 0
        union all
        select platform, reason, fees_currency, 0, 0, 0, 0, 0, 0, fees_minor, 0 from of_period where fees_minor <> 0
        union all
        select o.platform, o.reason, k.code, 0, 0, 0, 0, 0, 0, 0, leg.amount
        from of_period o
        join journals j on j.milestone_id = o.milestone_id and j.cause ->> 'dispute' = o.stripe_dispute
        cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
        join currencies k on k.number = (leg.account_id & 1023)
        where o.lost_minor > 0 and (leg.account_id >> 10 & 255) = :losses
    )
    select platform, reason, currency, sum(opened) as opened, sum(undecided) as undecided, sum(won) as won,
           sum(lost) as lost, sum(disputed)::bigint as disputed, sum(returned)::bigint as returned,
           sum(fees)::bigint as fees, sum(losses)::bigint as losses
    from parts group by platform, reason, currency order by platform, currency, sum(opened) desc, reason
    """
)


def outcomes(session: Session, *, since: datetime, until: datetime) -> list[Outcome]:
    """By marketplace and currency, the most frequent reason first. Inquiries take no money and are left out."""
    known = {"since": since, "until": until, "losses": CHART[accounts.CHARGEBACK_LOSSES].number}
    found = []
    for row in session.execute(OUTCOMES, known).mappings():
        values = dict(row)
        for name in ("disputed", "returned", "fees", "losses"):
            values[name] = Money(values[name], row["currency"])
        found.append(Outcome(**{**values, "platform": Platform(row["platform"])}))
    return found
