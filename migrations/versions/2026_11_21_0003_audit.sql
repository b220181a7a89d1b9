-- The audit log: appended to by record_audit() and by nothing else, changed by nobody.
create table audit_entries (
    id bigint generated always as identity primary key,
    at timestamptz not null,                       -- when it happened, by the desk's clock
    actor_kind text not null check (actor_kind in ('staff', 'party', 'system')),
    actor_id bigint,
    role text,                                     -- roles held at that moment, sorted, with commas between
    action text collate "C" not null check (action ~ '^[a-z][a-z0-9_]*:[a-z][a-z0-9_]*:[a-z][a-z0-9_]*$'),
    object_kind text collate "C" not null check (object_kind <> ''),
    object_id text collate "C" not null check (object_id <> ''),
    reason text,
    before jsonb,
    after jsonb,
    project_id bigint,
    milestone_id bigint,
    ticket_id bigint,
    report_id bigint,
    operation_key text,
    recorded_at timestamptz not null,              -- when it was written, by the server's clock
    xid xid8 not null default pg_current_xact_id(),
    check ((actor_kind = 'system') = (actor_id is null))
);

create index audit_entries_xid_idx on audit_entries (xid);
-- The log is read newest first, so time ends every index that may find many entries.
create index audit_entries_at_idx on audit_entries (at, id);
create index audit_entries_actor_idx on audit_entries (actor_kind, actor_id, at, id);
create index audit_entries_role_idx on audit_entries (role, at, id) where role is not null;
create index audit_entries_action_idx on audit_entries (action, at, id);
create index audit_entries_object_idx on audit_entries (object_kind, object_id);
create index audit_entries_project_idx on audit_entries (project_id) where project_id is not null;
create index audit_entries_milestone_idx on audit_entries (milestone_id) where milestone_id is not null;
create index audit_entries_ticket_idx on audit_entries (ticket_id) where ticket_id is not null;
create index audit_entries_report_idx on audit_entries (report_id) where report_id is not null;

create function audit_append_only() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    raise exception 'The audit log only grows: % on % is refused.', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

create trigger append_only before update or delete or truncate on audit_entries
    for each statement execute function audit_append_only();

-- Whoever writes, the row carries the transaction that really wrote it, so that nothing can be slipped into a range of
-- transactions that is sealed already. In a restored copy transaction numbers mean nothing until seal_range() has
-- opened a new epoch, which the worker does as it starts.
create function audit_stamp() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    if (select system_identifier from seal_epochs order by epoch desc limit 1)
        <> (select system_identifier from pg_control_system())
    then
        raise exception 'This database was restored from a dump. Seal it once before anything is written.'
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    new.xid := pg_current_xact_id();
    new.recorded_at := clock_timestamp();
    return new;
end $$;

create trigger stamp before insert on audit_entries for each row execute function audit_stamp();

create function record_audit(
    p_at timestamptz, p_actor_kind text, p_actor_id bigint, p_role text, p_action text, p_object_kind text,
    p_object_id text, p_reason text default null, p_before jsonb default null, p_after jsonb default null,
    p_project_id bigint default null, p_milestone_id bigint default null, p_ticket_id bigint default null,
    p_report_id bigint default null, p_operation_key text default null
) returns bigint language sql security definer set search_path = public, pg_temp as $$
    insert into audit_entries (at, actor_kind, actor_id, role, action, object_kind, object_id, reason, before, after,
                               project_id, milestone_id, ticket_id, report_id, operation_key, recorded_at)
    values (p_at, p_actor_kind, p_actor_id, p_role, p_action, p_object_kind, p_object_id, p_reason, p_before, p_after,
            p_project_id, p_milestone_id, p_ticket_id, p_report_id, p_operation_key, clock_timestamp())
    returning id
$$;

revoke all on function record_audit from public;
grant execute on function record_audit to app;
grant select on audit_entries to app, auditor;

-- Seals -------------------------------------------------------------------------------------------------------------
-- A seal proves every entry and every journal, with its postings, that the transactions [lo, hi) wrote.
-- core/audit/seals.py says how it is made up; core/audit/verification.py makes it again without any function of this
-- file.

-- Transaction numbers begin again where a dump is restored into another cluster. Each such life is an epoch: rows with
-- ids up to `*_after` belong to the epochs before.
create table seal_epochs (
    epoch bigint primary key,
    ledger uuid not null,                          -- the name of this database's checkpoint file
    system_identifier bigint not null,             -- of the cluster whose transaction numbers these are
    entries_after bigint not null,
    journals_after bigint not null,
    opened_at timestamptz not null
);

insert into seal_epochs
select 1, gen_random_uuid(), system_identifier, 0, 0, clock_timestamp() from pg_control_system();

create table seals (
    n bigint primary key,
    epoch bigint not null references seal_epochs,
    lo xid8 not null,
    hi xid8 not null,
    entries_after bigint not null,
    journals_after bigint not null,
    entries bigint not null,
    journals bigint not null,
    root bytea not null,
    leaves bytea not null,
    prev bytea not null unique,
    hash bytea not null,
    sealed_at timestamptz not null,
    check (lo < hi),
    check (length(leaves) = 16 * (entries + journals))
);

create unique index seals_range_idx on seals (epoch, hi);

create trigger append_only before update or delete or truncate on seals
    for each statement execute function audit_append_only();
create trigger append_only before update or delete or truncate on seal_epochs
    for each statement execute function audit_append_only();

-- Canonical form: PostgreSQL's own binary form of a row, where every value has its type and its length before it, in
-- UTF-8 whatever the client speaks.
create function audit_leaf(r audit_entries) returns bytea language sql stable as $$
    select sha256(record_send(row(
        convert_to('entry', 'UTF8'), r.id, r.at, convert_to(r.actor_kind, 'UTF8'), r.actor_id,
        convert_to(r.role, 'UTF8'), convert_to(r.action, 'UTF8'), convert_to(r.object_kind, 'UTF8'),
        convert_to(r.object_id, 'UTF8'), convert_to(r.reason, 'UTF8'), convert_to(r.before::text, 'UTF8'),
        convert_to(r.after::text, 'UTF8'), r.project_id, r.milestone_id, r.ticket_id, r.report_id,
        convert_to(r.operation_key, 'UTF8'), r.recorded_at, r.xid)))
$$;

create function journal_leaf(r journals) returns bytea language sql stable as $$
    select sha256(record_send(row(
        convert_to('journal', 'UTF8'), r.id, convert_to(r.key, 'UTF8'), convert_to(r.kind, 'UTF8'), r.milestone_id,
        r.party_id, convert_to(r.memo, 'UTF8'), convert_to(r.cause::text, 'UTF8'), r.account_ids, r.amounts,
        r.posted_at, r.recorded_at, r.xid)))
$$;

-- One batch of rows of the current epoch. The caller holds the lock.
create function seal_batch(era seal_epochs, p_lo xid8, p_hi xid8) returns bigint
    language plpgsql set search_path = public, pg_temp as $$
declare
    before seals;
    made seals;
begin
    select * into before from seals order by n desc limit 1;
    made.n := coalesce(before.n, 0) + 1;
    made.epoch := era.epoch;
    made.lo := p_lo;
    made.hi := p_hi;
    made.entries_after := era.entries_after;
    made.journals_after := era.journals_after;
    with leaf as materialized (
        select 1 as kind, r.xid, r.id, audit_leaf(r) as leaf from audit_entries r
        where r.xid >= p_lo and r.xid < p_hi and r.id > era.entries_after
        union all
        select 2, r.xid, r.id, journal_leaf(r) from journals r
        where r.xid >= p_lo and r.xid < p_hi and r.id > era.journals_after
    )
    select count(*) filter (where kind = 1), count(*) filter (where kind = 2),
           sha256(string_agg(leaf, '' order by kind, xid, id)),
           string_agg(int8send(id) || substring(leaf for 8), '' order by kind, xid, id)
    into made.entries, made.journals, made.root, made.leaves
    from leaf;
    if made.root is null and p_hi <> '18446744073709551615' then
        return null;                               -- nothing to seal; only the end of an epoch is sealed all the same
    end if;
    made.root := coalesce(made.root, sha256(''));
    made.leaves := coalesce(made.leaves, '');
    made.prev := coalesce(before.hash, sha256(convert_to(era.ledger::text, 'UTF8')));
    made.sealed_at := clock_timestamp();
    made.hash := sha256(convert_to(concat_ws(E'\n', 'escrow-desk seal 1', made.n, made.epoch, made.lo, made.hi,
        made.entries_after, made.journals_after, made.entries, made.journals, encode(made.root, 'hex'),
        encode(sha256(made.leaves), 'hex'), encode(made.prev, 'hex'), (extract(epoch from made.sealed_at) * 1000000)::bigint), 'UTF8'));
    insert into seals values (made.*);
    return made.n;
end $$;

create function sealed_up_to(era seal_epochs) returns xid8 language sql stable set search_path = public, pg_temp as $$
    select coalesce((select hi from seals where epoch = era.epoch order by n desc limit 1), '0')
$$;

-- Where the next batch ends: at the oldest running transaction, or sooner where more than p_rows wait.
create function seal_until(era seal_epochs, p_lo xid8, p_rows bigint) returns xid8
    language plpgsql set search_path = public, pg_temp as $$
declare
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    full_at xid8;
begin
    select xid into full_at from (
        (select xid from audit_entries where xid >= p_lo and id > era.entries_after order by xid limit p_rows)
        union all (select xid from journals where xid >= p_lo and id > era.journals_after order by xid limit p_rows)
    ) waiting order by xid offset p_rows - 1 limit 1;
    return least(horizon, (full_at::text::numeric + 1)::text::xid8);
end $$;

-- Close what the cluster before left open, and begin to count transactions anew.
create function open_epoch(era seal_epochs, p_system_identifier bigint) returns seal_epochs
    language plpgsql set search_path = public, pg_temp as $$
begin
    lock table audit_entries, journals in share mode;
    perform seal_batch(era, sealed_up_to(era), '18446744073709551615');
    era.epoch := era.epoch + 1;
    era.system_identifier := p_system_identifier;
    era.entries_after := greatest(era.entries_after, (select max(id) from audit_entries));
    era.journals_after := greatest(era.journals_after, (select max(id) from journals));
    era.opened_at := clock_timestamp();
    insert into seal_epochs values (era.*);
    perform begin_ledger_epoch();
    return era;
end $$;

-- Seal what is closed, up to about p_rows rows, and roll the same range up. The seal's number; null when there is nothing
-- to seal.
create function seal_range(p_rows bigint default 100000) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    here bigint := (select system_identifier from pg_control_system());
    era seal_epochs;
    lo xid8;
    hi xid8;
    rolled_to xid8;
    n bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('escrow-desk seals', 0));
    select * into era from seal_epochs order by epoch desc limit 1;
    if era.system_identifier <> here then
        era := open_epoch(era, here);
    end if;
    lo := sealed_up_to(era);
    hi := seal_until(era, lo, p_rows);
    if lo < hi then
        n := seal_batch(era, lo, hi);
    end if;
    if n is not null then
        select r.rolled_to into rolled_to from ledger_roll_up r;
        if rolled_to < hi then
            perform roll_up(rolled_to, hi);
        end if;
    end if;
    return n;
end $$;

revoke all on function seal_batch, sealed_up_to, seal_until, open_epoch, seal_range from public;
grant execute on function seal_range to app;
grant select on seals, seal_epochs to app, auditor;
