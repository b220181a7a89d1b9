-- The ledger.
--
-- journals         the record: what happened, once, with its postings as two arrays. Sealed, never changed.
-- balances         what lies on each account that may not go below zero; changed by posting, in the same transaction.
-- register         each account's own pages, hot_balances and daily_totals: derived from closed transactions by
--                  roll_up(), every second. Whoever reads adds the tail, the journals not rolled up yet; the views do.

-- Currencies and chart -----------------------------------------------------------------------------------------------

create table currencies (
    number smallint primary key check (number between 1 and 999),   -- ISO 4217
    code text collate "C" not null unique check (code ~ '^[A-Z]{3}$')
);

insert into currencies (number, code) values
    (840, 'USD'), (978, 'EUR'), (826, 'GBP'), (124, 'CAD'), (36, 'AUD'), (756, 'CHF'), (392, 'JPY'), (414, 'KWD');

-- A line's number says what a posting has to know of it: 128 hot, 64 in the payees' book. Hot lines of which there is
-- only one account a currency stand together, from 129 to 139.
create table chart (
    line smallint primary key check (line between 1 and 255),
    name text collate "C" not null unique,
    kind text not null check (kind in ('asset', 'expense', 'liability', 'income')),
    book text not null check (book in ('platform', 'payee')),
    per text check (per in ('milestone', 'party')),
    hot boolean not null generated always as (line & 128 <> 0) stored,
    non_negative boolean not null generated always as (line & 128 = 0) stored,
    side smallint not null generated always as (case when kind in ('asset', 'expense') then 1 else -1 end) stored,
    check ((book = 'payee') = (line & 64 <> 0))
);

insert into chart (line, name, kind, book, per) values
    (1, 'held', 'liability', 'platform', 'milestone'),
    (2, 'refund_payable', 'liability', 'platform', 'milestone'),
    (3, 'deferred_platform_fee', 'liability', 'platform', 'milestone'),
    (4, 'payee_payable', 'liability', 'platform', 'party'),
    (5, 'receivable_payee', 'asset', 'platform', 'party'),
    (6, 'unapplied_funds', 'liability', 'platform', null),
    (7, 'disputed_funds', 'asset', 'platform', null),
    (8, 'payout_in_transit', 'asset', 'platform', null),
    (129, 'stripe_balance', 'asset', 'platform', null),
    (130, 'platform_fee_revenue', 'income', 'platform', null),
    (131, 'processing_fee_recovery', 'income', 'platform', null),
    (132, 'withdrawal_fee_revenue', 'income', 'platform', null),
    (133, 'processor_fees', 'expense', 'platform', null),
    (134, 'fee_variance', 'expense', 'platform', null),
    (135, 'dispute_fees', 'expense', 'platform', null),
    (136, 'chargeback_losses', 'expense', 'platform', null),
    (137, 'refund_concession', 'expense', 'platform', null),
    (138, 'bank', 'asset', 'platform', null),
    (139, 'suspense', 'liability', 'platform', null),
    (193, 'connected_claim', 'liability', 'payee', null),
    (194, 'connected_balance', 'asset', 'payee', 'party'),
    (195, 'connected_in_transit', 'asset', 'payee', 'party');

-- Accounts -----------------------------------------------------------------------------------------------------------

-- An account's number is its object, line and currency: posting needs no look-up, and no account can change its nature.
create table accounts (
    id bigint primary key,
    code text collate "C" not null,                  -- 'held:17', 'bank'
    currency text collate "C" not null references currencies (code),
    line smallint not null references chart,
    object_id bigint check (object_id > 0),
    currency_number smallint not null references currencies (number),
    unique (code, currency),
    check (id = (coalesce(object_id, 0) << 18) | (line::bigint << 10) | currency_number)
);
-- The accounts of a line, for the pages: 693 ms without it and 1.7 ms with it at 920,000 accounts.
create index accounts_line_idx on accounts (line, currency_number, id);

create domain amount_not_below_zero as bigint check (value >= 0);

-- Kept half empty, so that a changed row finds room on its own page and no index is touched. The law is a domain and
-- not a CHECK, because the text of a table's CHECK is parsed again at every posting.
create table balances (
    account_id bigint primary key references accounts,
    balance amount_not_below_zero not null,          -- on the side on which the account grows
    side smallint not null                           -- 1: grows by debits; -1: by credits
) with (fillfactor = 50);

-- Journals -----------------------------------------------------------------------------------------------------------

create table journals (
    id bigint generated always as identity primary key,
    key text collate "C" not null unique,
    kind text not null,
    milestone_id bigint,
    party_id bigint,
    memo text not null,
    cause jsonb not null,
    account_ids bigint[] not null,                   -- ascending
    amounts bigint[] not null,                       -- of the same length; debits > 0, credits < 0
    posted_at timestamptz not null,                  -- when it happened, by the desk's clock
    recorded_at timestamptz not null default clock_timestamp(),
    xid xid8 not null default pg_current_xact_id()
);

create index journals_milestone_idx on journals (milestone_id, id);
create index journals_xid_idx on journals (xid);
create index journals_posted_at_idx on journals using brin (posted_at);

-- Roll-up ------------------------------------------------------------------------------------------------------------

-- Everything of transactions before `rolled_to` is rolled up. Transaction numbers start again when a dump is restored
-- elsewhere: then begin_ledger_epoch() rolls up the rest, and only journals after `after_journal` count.
create table ledger_roll_up (
    only_row boolean primary key default true check (only_row),
    rolled_to xid8 not null default '0',
    after_journal bigint not null default 0
);

insert into ledger_roll_up default values;

create table register (
    account_id bigint not null,
    journal_id bigint not null,
    amount bigint not null,
    primary key (account_id, journal_id)
);

create table hot_balances (
    account_id bigint primary key,
    net numeric(30) not null                         -- debits less credits
);

create table daily_totals (
    day date not null,                               -- of posted_at, in UTC
    line smallint not null,
    currency_number smallint not null,
    kind text not null,                              -- of the journal
    debits numeric(30) not null,
    credits numeric(30) not null,
    postings bigint not null,
    primary key (day, line, currency_number, kind)
);

-- Nobody but the bookkeeper's functions writes; nobody at all changes or removes a journal. --------------------------------

create function ledger_append_only() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    raise exception 'The ledger only grows: % on % is refused.', tg_op, tg_table_name using errcode = 'LD000';
end $$;

-- Asked on every posting: a WHEN clause or a SET would cost more than the question.
create function ledger_only_by_posting() returns trigger language plpgsql as $$
begin
    if current_user <> 'bookkeeper' then
        raise exception 'The ledger is written by posting only: % on % is refused.', tg_op, tg_table_name
            using errcode = 'LD000';
    end if;
    return null;
end $$;

create trigger append_only before update or delete or truncate on journals
    for each statement execute function ledger_append_only();
create trigger append_only before update or delete or truncate on register
    for each statement execute function ledger_append_only();
create trigger append_only before update or delete or truncate on accounts
    for each statement execute function ledger_append_only();
create trigger append_only before delete or truncate on balances
    for each statement execute function ledger_append_only();
create trigger append_only before delete or truncate on hot_balances
    for each statement execute function ledger_append_only();
create trigger append_only before delete or truncate on daily_totals
    for each statement execute function ledger_append_only();
create trigger append_only before delete or truncate on ledger_roll_up
    for each statement execute function ledger_append_only();

create trigger only_by_posting before insert on journals
    for each statement execute function ledger_only_by_posting();
create trigger only_by_posting before insert on register
    for each statement execute function ledger_only_by_posting();
create trigger only_by_posting before insert on accounts
    for each statement execute function ledger_only_by_posting();
create trigger only_by_posting before insert or update on balances
    for each statement execute function ledger_only_by_posting();
create trigger only_by_posting before insert or update on hot_balances
    for each statement execute function ledger_only_by_posting();
create trigger only_by_posting before insert or update on daily_totals
    for each statement execute function ledger_only_by_posting();
create trigger only_by_posting before insert or update on ledger_roll_up
    for each statement execute function ledger_only_by_posting();

-- Posting ------------------------------------------------------------------------------------------------------------

-- 'held:17', 'USD' → the account's number; null when the chart has no such account.
create function account_number(p_code text, p_currency text) returns bigint
language sql stable set search_path = public, pg_temp as $$
    select (coalesce(substring(p_code from ':([1-9][0-9]{0,12})$')::bigint, 0) << 18) | (c.line::bigint << 10) | m.number
    from chart c, currencies m
    where m.code = p_currency
      and c.name = split_part(p_code, ':', 1)
      and p_code ~ case when c.per is null then '^[a-z_]+$' else '^[a-z_]+:[1-9][0-9]{0,12}$' end
$$;

-- Opens an account of the chart, and with it the currency: every hot account that there is only one of.
create function open_account(p_account bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_line chart;
    v_currency currencies;
    v_object bigint := nullif(p_account >> 18, 0);
begin
    select * into v_line from chart where line = (p_account >> 10) & 255;
    select * into v_currency from currencies where number = p_account & 1023;
    if v_line.line is null or v_currency.number is null or (v_line.per is null) <> (v_object is null) then
        raise exception 'There is no account % in the chart of accounts.', p_account
            using errcode = 'LD005', detail = json_build_object('account', p_account);
    end if;
    insert into accounts (id, code, currency, line, object_id, currency_number)
    select (c.line::bigint << 10) | v_currency.number, c.name, v_currency.code, c.line, null, v_currency.number
    from chart c where c.hot and c.per is null order by c.line
    on conflict do nothing;
    insert into accounts (id, code, currency, line, object_id, currency_number)
    values (p_account, concat_ws(':', v_line.name, v_object), v_currency.code, v_line.line, v_object, v_currency.number)
    on conflict do nothing;
    if not v_line.hot then
        insert into balances (account_id, balance, side) values (p_account, 0, v_line.side) on conflict do nothing;
    end if;
end $$;

-- The id of the journal that bears the key already, if it is the same journal.
create function journal_again(
    p_key text, p_kind text, p_accounts bigint[], p_amounts bigint[], p_milestone_id bigint, p_party_id bigint,
    p_memo text, p_cause jsonb
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_journal journals;
begin
    select * into strict v_journal from journals where key = p_key;
    if (v_journal.kind, v_journal.account_ids, v_journal.amounts, v_journal.milestone_id, v_journal.party_id,
        v_journal.memo, v_journal.cause)
       is distinct from (p_kind, p_accounts, p_amounts, p_milestone_id, p_party_id, p_memo, p_cause) then
        raise exception 'The key % was used for another journal.', p_key
            using errcode = 'LD004', detail = json_build_object('key', p_key, 'journal_id', v_journal.id);
    end if;
    return v_journal.id;
end $$;

-- A guarded account that the posting found no room on: it has to be opened first, or there is too little on it.
create function post_late(p_account bigint, p_amount bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_balance bigint;
begin
    perform open_account(p_account);
    update balances set balance = balance + p_amount * side
     where account_id = p_account and balance + p_amount * side >= 0;
    if not found then
        select b.balance into v_balance from balances b where b.account_id = p_account for update;
        raise exception 'There is too little on account %.', p_account using errcode = 'LD003',
            detail = json_build_object('account', p_account, 'balance', v_balance, 'wanted', abs(p_amount));
    end if;
end $$;

-- The only way into the ledger. Accounts are numbers, ascending, so that all journals lock in one order.
--
-- In a number, 66559 masks what all accounts of a journal share, book and currency; 131072 is the hot bit; up to 143359
-- go the hot accounts without an object. Every expression of plpgsql is prepared anew in every transaction, which is
-- most of what it costs: there are as few as will do.
create function post_journal(
    p_key text, p_kind text, p_accounts bigint[], p_amounts bigint[], p_milestone_id bigint, p_party_id bigint,
    p_memo text, p_cause jsonb, p_posted_at timestamptz
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_id bigint;
    v_account bigint;
    v_amount bigint;
    v_before bigint := 0;
    v_sum bigint := 0;
begin
    insert into journals (key, kind, milestone_id, party_id, memo, cause, account_ids, amounts, posted_at)
    values (p_key, p_kind, p_milestone_id, p_party_id, p_memo, p_cause, p_accounts, p_amounts, p_posted_at)
    on conflict (key) do nothing returning id into v_id;
    if v_id is null then
        return journal_again(p_key, p_kind, p_accounts, p_amounts, p_milestone_id, p_party_id, p_memo, p_cause);
    end if;
    for i in 1 .. cardinality(p_accounts) loop
        v_account := p_accounts[i];
        v_amount := p_amounts[i];
        if (v_account > v_before and (v_account # p_accounts[1]) & 66559 = 0 and v_amount <> 0) is not true then
            raise exception 'Posting % of % is malformed.', i, p_key using errcode = 'LD002';
        end if;
        if v_account & 131072 = 0 then
            update balances set balance = balance + v_amount * side
             where account_id = v_account and balance + v_amount * side >= 0;
            if not found then
                perform post_late(v_account, v_amount);
            end if;
        elsif v_account > 143359 then
            perform open_account(v_account) where not exists (select from accounts where id = v_account);
        end if;
        v_before := v_account;
        v_sum := v_sum + v_amount;
    end loop;
    if (v_sum = 0 and cardinality(p_accounts) >= 2 and cardinality(p_amounts) = cardinality(p_accounts)) is not true
    then
        raise exception 'The postings of % do not cancel out.', p_key using errcode = 'LD001',
            detail = json_build_object('key', p_key, 'off_by', v_sum);
    end if;
    -- An account with an object was there or has been opened now, and the hot ones of its currency with it.
    if v_account <= 143359 then
        perform open_account(v_account) where not exists (select from accounts where id = v_account);
    end if;
    return v_id;
end $$;

-- Rolling up ---------------------------------------------------------------------------------------------------------

create function roll_up_rows(p_lo xid8, p_hi xid8, p_after bigint) returns bigint
language sql security definer set search_path = public, pg_temp as $$
    with lines as materialized (
        select j.id, j.kind, (j.posted_at at time zone 'UTC')::date as day, p.account_id, p.amount
        from journals j, unnest(j.account_ids, j.amounts) as p (account_id, amount)
        where j.xid >= p_lo and j.xid < p_hi and j.id > p_after
    ), pages as (
        insert into register (account_id, journal_id, amount)
        select account_id, id, amount from lines order by account_id, id
        returning 1
    ), hot as (
        insert into hot_balances as h (account_id, net)
        select account_id, sum(amount) from lines where account_id & 131072 <> 0 group by account_id order by account_id
        on conflict (account_id) do update set net = h.net + excluded.net
    ), days as (
        insert into daily_totals as d (day, line, currency_number, kind, debits, credits, postings)
        select day, account_id >> 10 & 255, account_id & 1023, kind,
               coalesce(sum(amount) filter (where amount > 0), 0), coalesce(-sum(amount) filter (where amount < 0), 0),
               count(*)
        from lines group by 1, 2, 3, 4 order by 1, 2, 3, 4
        on conflict (day, line, currency_number, kind) do update
            set debits = d.debits + excluded.debits, credits = d.credits + excluded.credits,
                postings = d.postings + excluded.postings
    )
    select count(*) from pages
$$;

-- Rolls up the journals of transactions from `lo` up to, not including, `hi`. Ranges follow each other without a gap,
-- and `hi` is no later than the oldest transaction still running, so nothing can be slipped into a range afterwards.
create function roll_up(lo xid8, hi xid8) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_state ledger_roll_up;
begin
    select * into v_state from ledger_roll_up for update;
    if lo <> v_state.rolled_to or hi < lo or hi > pg_snapshot_xmin(pg_current_snapshot()) then
        raise exception 'The ledger is rolled up to %; it cannot be rolled up from % to % now.', v_state.rolled_to, lo, hi
            using errcode = 'LD006';
    end if;
    update ledger_roll_up set rolled_to = hi;
    return roll_up_rows(lo, hi, v_state.after_journal);
end $$;

-- After a restore elsewhere, before anything posts: every journal that was restored is closed, and transaction numbers
-- count from the start again.
create function begin_ledger_epoch() returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_state ledger_roll_up;
begin
    select * into v_state from ledger_roll_up for update;
    update ledger_roll_up set rolled_to = '0', after_journal = coalesce((select max(id) from journals), 0);
    return roll_up_rows(v_state.rolled_to, '18446744073709551615', v_state.after_journal);
end $$;

-- Reading ------------------------------------------------------------------------------------------------------------

-- Every posting, from the journals themselves. By journal, milestone or time; by account read account_postings.
create view postings as
select j.id * 64 + p.line as id, j.id as journal_id, p.account_id, a.currency, p.amount, j.posted_at, j.xid
from journals j
cross join lateral unnest(j.account_ids, j.amounts) with ordinality as p (account_id, amount, line)
join accounts a on a.id = p.account_id;

-- The journals that are not rolled up yet, one row a posting. A function, because what waits is always little, and the
-- planner of a query around it would take it for a third of the ledger.
create function tail_of_ledger() returns table (account_id bigint, journal_id bigint, amount bigint)
language sql stable rows 1000 set search_path = public, pg_temp set jit = off as $$
    select p.account_id, j.id, p.amount
    from ledger_roll_up r
    join journals j on j.xid >= r.rolled_to and j.id > r.after_journal
    cross join lateral unnest(j.account_ids, j.amounts) as p (account_id, amount)
$$;

create view posting_tail as select account_id, journal_id, amount from tail_of_ledger();

-- Every posting, found by its account, newest journal last: filter by account_id, page by journal_id.
create view account_postings as
select account_id, journal_id, amount from register
union all
select account_id, journal_id, amount from posting_tail;

-- `net` is debits less credits; `balance` is the same on the side on which the account grows.
create view account_balances as
select a.id as account_id, a.code, a.currency, c.name as line, c.kind, c.book, c.hot, c.non_negative, a.object_id,
       s.net * c.side as balance, s.net
from accounts a
join chart c on c.line = a.line
left join balances b on b.account_id = a.id
left join hot_balances h on h.account_id = a.id
left join (select account_id, sum(amount) as net from posting_tail where account_id & 131072 <> 0 group by account_id) t
       on t.account_id = a.id
cross join lateral (
    select (case when c.hot then coalesce(h.net, 0) + coalesce(t.net, 0) else b.balance * c.side end)::bigint as net
) s;

-- Rights -------------------------------------------------------------------------------------------------------------

grant select on currencies, chart, accounts, balances, journals, ledger_roll_up, register, hot_balances, daily_totals
    to bookkeeper, app, auditor;
grant select on postings, posting_tail, account_postings, account_balances to app, auditor;
grant insert on accounts, balances, journals, register, hot_balances, daily_totals to bookkeeper;
grant update on balances, hot_balances, daily_totals, ledger_roll_up to bookkeeper;

revoke all on function account_number, tail_of_ledger, open_account, journal_again, post_late, post_journal, roll_up, roll_up_rows,
    begin_ledger_epoch from public;
grant execute on function account_number, tail_of_ledger to app, auditor;
grant execute on function post_journal to app;

-- The definer's functions run as the bookkeeper, who may do just the above.
grant create on schema public to bookkeeper;
alter function open_account owner to bookkeeper;
alter function journal_again owner to bookkeeper;
alter function post_late owner to bookkeeper;
alter function post_journal owner to bookkeeper;
alter function roll_up_rows owner to bookkeeper;
alter function roll_up owner to bookkeeper;
alter function begin_ledger_epoch owner to bookkeeper;
revoke create on schema public from bookkeeper;
do $$
begin
    execute format('grant execute on function roll_up, begin_ledger_epoch to %I', current_user);
end $$;
