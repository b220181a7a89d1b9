-- Roles belong to the whole server, so they may be there already, or be made by another database at this very moment.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['app', 'auditor', 'bookkeeper'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin', role_name);
            exception when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;
    -- An owner who is no superuser hands functions over only to a role it is a member of.
    -- From PostgreSQL 16 on, whoever makes a role may administer it, which is not yet to act as it.
    if not pg_has_role(
        current_user, 'bookkeeper',
        case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end
    ) then
        execute format('grant bookkeeper to %I', current_user);
    end if;
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect, temporary on database %I to app, auditor', current_database());
end $$;

revoke all on schema public from public;
grant usage on schema public to app, auditor, bookkeeper;

-- A new function may be called by everybody, unless this is said.
alter default privileges revoke execute on functions from public;

-- The dashboard itself asks whether its migrations are current (/readyz).
grant select on alembic_version to app, auditor;
