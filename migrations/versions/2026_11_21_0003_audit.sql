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
create index audit_entries_at_idx on audit_entries (at, id);
create index audit_entries_actor_idx on audit_entries (actor_kind, actor_id, id);
create index audit_entries_action_idx on audit_entries (action, id);
create index audit_entries_object_idx on audit_entries (object_kind, object_id, id);
create index audit_entries_project_idx on audit_entries (project_id, id) where project_id is not null;
create index audit_entries_milestone_idx on audit_entries (milestone_id, id) where milestone_id is not null;
create index audit_entries_ticket_idx on audit_entries (ticket_id, id) where ticket_id is not null;

create function audit_append_only() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    raise exception 'The audit log only grows: % on % is refused.', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

create trigger append_only before update or delete or truncate on audit_entries
    for each statement execute function audit_append_only();

-- Whoever writes, the row carries the transaction that really wrote it, so that nothing can be slipped into a
-- range of transactions that is sealed already.
create function audit_stamp() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
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
