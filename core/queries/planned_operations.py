"""What a carried-out plan lists, and what was queued for it: the law that both are the same, in SQL.

A payout is queued when its transfer is booked. Plans of the first format listed calls to an account that was not there
yet, and queued those under other keys or not at all.
"""

from __future__ import annotations

QUEUED_OTHERWISE = """
with plans as (
    select 'decision ' || id as plan, plan as content from decisions where status = 'EXECUTED'
    union all
    select 'settlement proposal ' || id, plan from settlement_proposals where status = 'ACCEPTED' and plan is not null
), stems as (
    select plan, content, i.name || '.' || (content -> 'journal' ->> 'key') as stem from plans cross join installation i
), calls as (
    select s.plan, s.stem, call ->> 'key' as key, call ->> 'kind' as kind,
           (call -> 'params' ->> 'amount')::bigint as amount, s.content -> 'amounts' ->> 'currency' as currency,
           case call ->> 'kind' when 'REFUND' then p.payer_id else p.payee_id end as party_id,
           (s.content ->> 'milestone')::bigint as milestone_id,
           coalesce(call ->> 'account', call -> 'params' ->> 'destination', call -> 'params' ->> 'payment_intent')
               as target
    from stems s
    cross join lateral jsonb_array_elements(s.content -> 'operations') call
    join projects p on p.id = (s.content ->> 'project')::bigint
    where not (s.content ->> 'format' like '%/1' and call ->> 'kind' in ('TRANSFER', 'PAYOUT')
               and coalesce(call ->> 'account', call -> 'params' ->> 'destination') is null)
), queued as (
    select o.*, coalesce(o.payload ->> 'account', o.payload ->> 'destination', o.payload ->> 'payment_intent') as target
    from outgoing_operations o
)
select c.plan, c.key, c.kind, c.amount as planned, q.amount_minor as queued, c.target as planned_for,
       q.target as queued_for, case when q.id is null then 'not queued' else 'queued otherwise' end as what
from calls c left join queued q on q.key = c.key
where case when q.id is null
           then c.kind <> 'PAYOUT' or exists (
               select from queued t where t.key = c.stem || '.transfer' and t.status = 'SUCCEEDED')
           else (q.kind, q.amount_minor, q.currency, q.party_id, q.milestone_id)
                is distinct from (c.kind, c.amount, c.currency, c.party_id, c.milestone_id)
                or (c.target is not null and q.target is distinct from c.target) end
union all
select s.plan, q.key, q.kind, null, q.amount_minor, null, q.target, 'not in the plan'
from stems s
join queued q on q.key in (s.stem || '.refund', s.stem || '.transfer', s.stem || '.payout')
where not s.content -> 'operations' @> jsonb_build_array(jsonb_build_object('key', q.key))
order by 1, 2
"""
