-- Each view stands in the place of the table of its name for whoever reads with the path "masked, public"
-- (`core/queries/masked.py`): the same columns and types, with masks where who somebody is or what they wrote would stand.
-- `desk.sees` names the kinds that are shown all the same, `desk.revealed` the parties; nothing said is nothing shown.
-- docs/decisions/0039-masked-by-default.md says why so. core/rules/masking.py has the same masks.
CREATE SCHEMA masked;
CREATE FUNCTION masked.sees(kind text, party bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(kind = any (string_to_array(current_setting('desk.sees', true), ',')), false)
        OR coalesce(party::text = any (string_to_array(current_setting('desk.revealed', true), ',')), false)
$$;
-- The first letter of each word, and the party's number, by which they are told apart and found.
CREATE FUNCTION masked.name(value varchar, party bigint) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IN ('', 'erased') THEN value
        ELSE regexp_replace(value, '(\S)\S*', '\1•••', 'g') || ' #' || party END
$$;
CREATE FUNCTION masked.email(value varchar) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IN ('', 'erased') THEN value ELSE left(value, 1) || '•••@…' END
$$;
CREATE FUNCTION masked.word(value varchar) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IN ('', 'erased') THEN value ELSE '•••' END
$$;
-- What a mail server said, without the address that it said it of.
CREATE FUNCTION masked.addresses(value varchar) RETURNS varchar LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(value, '[^\s<>"]+@[^\s<>"]+', '•••@…', 'g')
$$;
CREATE FUNCTION masked.banks(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(b.key, b.value || '{"last4": "••••"}'), '{}') FROM jsonb_each(value) b
$$;
CREATE VIEW masked.parties WITH (security_invoker) AS SELECT
    t.id, t.platform, t.external_id, t.role,
    case when masked.sees('identity', t.id) then t.name else masked.name(t.name, t.id) end AS name,
    case when masked.sees('identity', t.id) then t.email else masked.email(t.email) end AS email,
    case when masked.sees('identity', t.id) then t.city else masked.word(t.city) end AS city,
    t.country, t.language, t.stripe_customer, t.payment_method, t.method_kind, t.method_brand,
    case when masked.sees('identity', t.id) then t.method_last4 else masked.word(t.method_last4) end AS method_last4,
    t.method_saved_at, t.stripe_account, t.account_currency, t.bank_token_sha256, t.withdrawal_method,
    t.auto_withdraw, t.created_at, t.changed_at, t.erased_at
FROM public.parties t;
CREATE VIEW masked.party_changes WITH (security_invoker) AS SELECT
    t.id, t.party_id, t.field,
    case when masked.sees('identity', t.party_id) then t.before else masked.word(t.before) end AS before,
    case when masked.sees('identity', t.party_id) then t.after else masked.word(t.after) end AS after,
    t.at
FROM public.party_changes t;
CREATE VIEW masked.receipts WITH (security_invoker) AS SELECT
    t.id, t.key, t.kind, t.milestone_id, t.payer_id, t.payee_id, t.currency, t.total_minor, t.lines, t.scope,
    t.scope_hash, t.at, t.series, t.year, t.place,
    case when masked.sees('identity', t.payer_id) then t.payer_name else masked.name(t.payer_name, t.payer_id) end AS payer_name,
    case when masked.sees('identity', t.payee_id) then t.payee_name else masked.name(t.payee_name, t.payee_id) end AS payee_name,
    t.issuer_name, t.issuer_address, t.issuer_tax_id, t.tax_bps, t.tax_minor, t.payment_method, t.original_id,
    t.number
FROM public.receipts t;
CREATE VIEW masked.bank_changes WITH (security_invoker) AS SELECT
    t.id, t.party_id, t.currency, t.before_bank,
    case when masked.sees('identity', t.party_id) then t.before_last4 else masked.word(t.before_last4) end AS before_last4,
    t.after_bank,
    case when masked.sees('identity', t.party_id) then t.after_last4 else masked.word(t.after_last4) end AS after_last4,
    t.at, t.held_until, t.ended_at, t.refused_at
FROM public.bank_changes t;
CREATE VIEW masked.payee_accounts WITH (security_invoker) AS SELECT
    t.party_id, t.account, t.transfers, t.payouts_enabled, t.can_be_paid, t.details_submitted, t.currently_due,
    t.past_due, t.pending_verification, t.disabled_reason, t.due_at,
    case when masked.sees('identity', t.party_id) then t.banks else masked.banks(t.banks) end AS banks,
    t.read_at
FROM public.payee_accounts t;
CREATE VIEW masked.notifications WITH (security_invoker) AS SELECT
    t.id, t.key, t.template, t.party_id, t.staff_id, t.project_id, t.milestone_id, t.about_kind, t.about_id,
    case when masked.sees('words', t.party_id) then t.subject else masked.word(t.subject) end AS subject,
    case when masked.sees('words', t.party_id) then t.text else masked.word(t.text) end AS text,
    case when masked.sees('words', t.party_id) then t.html else masked.word(t.html) end AS html,
    t.urgent, t.mail, t.status, t.tries, t.next_try_at,
    case when masked.sees('words', t.party_id) then t.error else masked.addresses(t.error) end AS error,
    t.created_at, t.sent_at,
    case when masked.sees('identity', t.party_id) then t.address else masked.email(t.address) end AS address,
    t.framed
FROM public.notifications t;
CREATE VIEW masked.messages WITH (security_invoker) AS SELECT
    t.id, t.milestone_id, t.case_id, t.author_kind, t.author_id, t.audience,
    case when masked.sees('words', case t.author_kind when 'party' then t.author_id end) then t.body else masked.word(t.body) end AS body,
    t.at
FROM public.messages t;
CREATE VIEW masked.cases WITH (security_invoker) AS SELECT
    t.id, t.milestone_id, t.opened_by, t.opened_by_staff, t.reason,
    case when masked.sees('words', t.opened_by) then t.details else masked.word(t.details) end AS details,
    t.status, t.escalated, t.mediator_id, t.version, t.opened_at, t.mediation_due_at, t.in_mediation_at,
    t.decision_due_at, t.waiting_on, t.answer_due_at, t.due_at, t.resolved_at, t.resolution, t.resolution_notes,
    t.corrects_id
FROM public.cases t;
CREATE VIEW masked.evidence WITH (security_invoker) AS SELECT
    t.id, t.milestone_id, t.case_id, t.uploaded_by, t.kind,
    case when masked.sees('words', t.uploaded_by) then t.file_name else masked.word(t.file_name) end AS file_name,
    t.media_type, t.size_bytes, t.sha256,
    case when masked.sees('words', t.uploaded_by) then t.caption else masked.word(t.caption) end AS caption,
    t.taken_at, t.at
FROM public.evidence t;
CREATE VIEW masked.evidence_notes WITH (security_invoker) AS SELECT
    t.id, t.evidence_id, t.staff_id,
    case when masked.sees('words', null) then t.body else masked.word(t.body) end AS body,
    t.at, t.page, t.area
FROM public.evidence_notes t;
CREATE VIEW masked.party_requests WITH (security_invoker) AS SELECT
    t.id, t.case_id, t.party_id, t.kind,
    case when masked.sees('words', t.party_id) then t.question else masked.word(t.question) end AS question,
    t.asked_by, t.asked_at, t.due_at, t.status, t.ended_at
FROM public.party_requests t;
CREATE VIEW masked.settlement_proposals WITH (security_invoker) AS SELECT
    t.id, t.case_id, t.proposed_by, t.currency, t.release_minor, t.refund_minor,
    case when masked.sees('words', t.proposed_by) then t.note else masked.word(t.note) end AS note,
    t.status, t.made_at, t.expires_at, t.ended_at, t.plan, t.plan_hash
FROM public.settlement_proposals t;
CREATE VIEW masked.project_reviews WITH (security_invoker) AS SELECT
    t.id, t.project_id, t.author_id, t.subject_id, t.stars,
    case when masked.sees('words', t.author_id) then t.body else masked.word(t.body) end AS body,
    t.at
FROM public.project_reviews t;
CREATE VIEW masked.reports WITH (security_invoker) AS SELECT
    t.id, t.project_id, t.milestone_id, t.external_id, t.kind, t.source, t.severity,
    case when masked.sees('words', case t.author_kind when 'party' then t.author_id end) then t.details else masked.word(t.details) end AS details,
    t.author_kind, t.author_id, t.subject_id, t.at, t.outcome, t.note, t.settled_by, t.settled_at
FROM public.reports t;
GRANT USAGE ON SCHEMA masked TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA masked TO app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA masked TO app;
