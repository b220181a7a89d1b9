-- Both come with PostgreSQL, and the owner of a database may add them.
create extension if not exists unaccent;
create extension if not exists pg_trgm;

-- A name as it is looked for: "Zoë" and "zoe" are one.
create function searched(name text) returns text
    language sql immutable strict parallel safe
    return lower(unaccent('unaccent'::regdictionary, name));

create index parties_search_idx on parties using gin (searched(name || ' ' || email || ' ' || external_id) gin_trgm_ops);
create index projects_search_idx on projects using gin (searched(title || ' ' || bid_reference) gin_trgm_ops);
create index milestones_search_idx on milestones using gin (searched(title) gin_trgm_ops);

create index milestones_amount_idx on milestones (amount_minor);
create index payment_orders_charge_idx on payment_orders (charge_minor);
create index payouts_amount_idx on payouts (amount_minor);
create index payouts_paid_out_idx on payouts ((amount_minor - fee_minor));
create index refunds_amount_idx on refunds (amount_minor);

create index parties_stripe_customer_idx on parties (stripe_customer);
create index outgoing_operations_provider_idx on outgoing_operations (provider_id);

grant execute on function unaccent(regdictionary, text), searched(text) to app, auditor;
