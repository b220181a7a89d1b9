-- The keys that sign checkpoints, case files and exports, one after the other. The first is pinned when the desk is
-- installed, or by the first seal; each that follows is put in by the owner of the tables, and never by the application.
create table signing_keys (
    n bigint primary key,
    public_key bytea not null unique check (length(public_key) = 32),
    pinned_at timestamptz not null,
    after_seal bigint not null check (after_seal >= 0),  -- seals up to this one were signed by the keys before
    after_hash bytea not null,                           -- the hash of that seal
    by_itself bytea not null check (length(by_itself) = 64),
    by_previous bytea check (length(by_previous) = 64),  -- null: the key before was lost
    check (n > 0),
    check (n > 1 or (after_seal = 0 and by_previous is null))
);

create function signing_key_follows() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    if new.n <> (select coalesce(max(n), 0) + 1 from signing_keys) then
        raise exception 'Signing key % does not follow the key before it.', new.n using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger append_only before update or delete or truncate on signing_keys
    for each statement execute function audit_append_only();
create trigger follows before insert on signing_keys for each row execute function signing_key_follows();

-- The first key, and no other. Whoever comes second gets the one that is pinned.
create function pin_first_signing_key(p_public_key bytea, p_pinned_at timestamptz, p_after_hash bytea, p_by_itself bytea)
    returns bytea language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('escrow-desk signing keys', 0));
    if not exists (select from signing_keys) then
        insert into signing_keys values (1, p_public_key, p_pinned_at, 0, p_after_hash, p_by_itself, null);
    end if;
    return (select public_key from signing_keys where n = 1);
end $$;

revoke all on function pin_first_signing_key from public;
grant execute on function pin_first_signing_key to app;
grant select on signing_keys to app, auditor;

-- Who did something on the command line: an account of the machine, named in place of roles.
alter table audit_entries
    drop constraint audit_entries_actor_kind_check,
    drop constraint audit_entries_check,
    add constraint audit_entries_actor_kind_check check (actor_kind in ('staff', 'party', 'system', 'operator')),
    add constraint audit_entries_check check ((actor_kind in ('system', 'operator')) = (actor_id is null)),
    add constraint audit_entries_operator_check check (actor_kind <> 'operator' or coalesce(role, '') <> '');

alter table reconciliation_runs add column started_from varchar;

-- Roles are taken from people too. The application deletes nothing by itself; what the roles were is in the audit log.
create function take_staff_role(p_staff_id bigint, p_role text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    delete from staff_roles where staff_id = p_staff_id and role = p_role
$$;
revoke all on function take_staff_role from public;
grant execute on function take_staff_role to app;
