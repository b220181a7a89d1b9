-- What the application's login may change is named by column: no number, no maker, no time of making, no amount that was
-- agreed. core/records/logins.py has the same list, and a test holds both against each other.
REVOKE UPDATE ON
    api_answers, breaks, case_visits, cases, chargeback_acceptances, chargeback_evidence, chargebacks,
    charges, decision_drafts, demo_clock, duplicate_payments, engagements, letter_preferences, milestones,
    notifications, settlement_proposals, outgoing_events, outgoing_operations, parties, party_requests, payee_accounts,
    payee_statement_lines, payment_method_setups, payment_orders, payout_offers, payouts, policy_proposals,
    practice_flags, projects, rate_buckets, reconciliation_breaks, reconciliation_runs, refund_returns,
    refunds, reports, review_rounds, risk_reviews, settlement_currencies, staff, staff_preferences,
    staff_sessions, staff_ties, statement_cursors, statement_lines, stripe_payouts, suspense_items,
    unsent_texts, webhook_events
    FROM app;
GRANT UPDATE (status, body) ON api_answers TO app;
GRANT UPDATE (kind, class, status, theirs, ours, ours_currency, transaction_id, journal_id, suspense_item_id,
    bank_line_id, last_run_id, last_seen_at, owner_id, remark, waits_until, closed_at, closed_as, closed_by) ON
    breaks TO app;
GRANT UPDATE (seen_at) ON case_visits TO app;
GRANT UPDATE (details, status, escalated, mediator_id, version, in_mediation_at, decision_due_at, waiting_on,
    answer_due_at, due_at, resolved_at, resolution, resolution_notes) ON cases TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON chargeback_acceptances TO app;
GRANT UPDATE (submitted_by, submitted_at) ON chargeback_evidence TO app;
GRANT UPDATE (status, currency, amount_minor, booked_currency, taken_minor, lost_minor, fees_currency, fees_minor,
    due_by, past_due, has_evidence, submissions, closed_at, network, network_code) ON chargebacks TO app;
GRANT UPDATE (status, client_secret, action_url, confirm_by, called_off_at, code, failure, next_retry_at, ended_at,
    method_kind, card_brand, card_funding, method_country) ON charges TO app;
GRANT UPDATE (content, version, writer, updated_at) ON decision_drafts TO app;
GRANT UPDATE (ahead, began_at, until, stops, stopped_at, arrived_at, trouble) ON demo_clock TO app;
GRANT UPDATE (charged_back_minor, status, operation_id, stripe_refund, returned_at) ON duplicate_payments TO app;
GRANT UPDATE (status, scope_confirmed_by_payer_at, scope_confirmed_by_payee_at, fee_confirmed_at,
    conflict_check_acknowledged_at, disclaimers_acknowledged_at, activated_at) ON engagements TO app;
GRANT UPDATE (frequency, muted, changed_at) ON letter_preferences TO app;
GRANT UPDATE (title, deliverable, amount_minor, currency, target_date, acceptance_rule, status, outcome, version,
    activated_at, funded_at, completion_notice_at, dispute_until, auto_approve_at, answer_due_at, unanswered_at,
    next_reminder_at, reminder_level, verified_at, ended_at) ON milestones TO app;
GRANT UPDATE (mail, status, tries, next_try_at, error, sent_at, framed) ON notifications TO app;
GRANT UPDATE (status, ended_at, plan, plan_hash) ON settlement_proposals TO app;
GRANT UPDATE (sequence, status, tries, next_try_at, error, sent_at) ON outgoing_events TO app;
GRANT UPDATE (status, attempt, tries, first_sent_at, sending_since, next_try_at, provider_id, last_error,
    finished_at) ON outgoing_operations TO app;
GRANT UPDATE (name, email, city, country, language, stripe_customer, payment_method, method_kind, method_brand,
    method_last4, method_saved_at, stripe_account, account_currency, bank_token_sha256, withdrawal_method,
    changed_at) ON parties TO app;
GRANT UPDATE (status, ended_at) ON party_requests TO app;
GRANT UPDATE (account, transfers, payouts_enabled, details_submitted, currently_due, past_due, pending_verification,
    disabled_reason, due_at, banks, read_at) ON payee_accounts TO app;
GRANT UPDATE (account, party_id, kind, reporting_category, amount, fee, net, currency, source, created_at,
    available_at, fetched_at) ON payee_statement_lines TO app;
GRANT UPDATE (status, payment_method, code, failure, changed_at) ON payment_method_setups TO app;
GRANT UPDATE (currency, state, amount_minor, platform_fee_minor, processing_fee_minor, charge_minor, funded_minor,
    held_minor, payable_minor, refundable_minor, released_minor, refunded_minor, fee_kept_minor, in_flight,
    chargeback_open, canceled, attempts, stripe_payment_intent, stripe_charge, failure, chosen_method, retries,
    next_retry_at, funded_at, settled_currency) ON payment_orders TO app;
GRANT UPDATE (status, chosen_method, settled_at) ON payout_offers TO app;
GRANT UPDATE (amount_minor, fee_minor, method, status, transfer_operation_id, stripe_transfer, stripe_payout,
    failure, failed_bank, failure_code, owner_id, fee_waived_minor, fee_waived_by, arrival_at, paid_at) ON payouts
    TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON policy_proposals TO app;
GRANT UPDATE (resolution, resolved_by, resolved_at) ON practice_flags TO app;
GRANT UPDATE (status, funding, completed_at) ON projects TO app;
GRANT UPDATE (tokens, at, granted) ON rate_buckets TO app;
GRANT UPDATE (break_id) ON reconciliation_breaks TO app;
GRANT UPDATE (status, started_from, lines, matched, in_suspense, unmatched, breaks, totals, error, finished_at) ON
    reconciliation_runs TO app;
GRANT UPDATE (status, settled_by, settled_at, note) ON refund_returns TO app;
GRANT UPDATE (amount_minor, milestone_part_minor, status, stripe_refund, failure, failure_code, settled_at) ON
    refunds TO app;
GRANT UPDATE (outcome, note, settled_by, settled_at) ON reports TO app;
GRANT UPDATE (revealed_at) ON review_rounds TO app;
GRANT UPDATE (reasons, reports, assigned_to, outcome, note, settled_by, settled_at) ON risk_reviews TO app;
GRANT UPDATE (settles, known_from, at) ON settlement_currencies TO app;
GRANT UPDATE (active) ON staff TO app;
GRANT UPDATE (blind, updated_at) ON staff_preferences TO app;
GRANT UPDATE (last_seen_at, authenticated_at, revoked_at, provider_session) ON staff_sessions TO app;
GRANT UPDATE (read_until, window_since, window_until, window_after, looked_at, failure) ON statement_cursors TO app;
GRANT UPDATE (kind, reporting_category, amount, fee, net, currency, source, created_at, fetched_at) ON
    statement_lines TO app;
GRANT UPDATE (account, party_id, amount, currency, status, method, automatic, created_at, arrival_at,
    balance_transaction, failure_balance_transaction, failure_code, destination, fetched_at) ON stripe_payouts TO
    app;
GRANT UPDATE (currency, amount_minor, status, settled_as, reason, settled_by, found_at, settled_at, why,
    payment_intent, milestone_id, proposed_as, target_id, proposed_reason, proposed_by, proposed_at) ON
    suspense_items TO app;
GRANT UPDATE (body, version, writer, sent, updated_at) ON unsent_texts TO app;
GRANT UPDATE (status, tries, next_try_at, error, received_at, finished_at) ON webhook_events TO app;

-- A session lasts eight hours at most, and one that was ended, like a key that was revoked, an endpoint that was removed
-- and an invitation that was used, does not come back.
-- Sessions that a demo's time carried along began when they would have.
UPDATE staff_sessions SET created_at = expires_at - interval '8 hours' WHERE expires_at > created_at + interval '8 hours';
ALTER TABLE staff_sessions
    ADD CONSTRAINT staff_sessions_eight_hours CHECK (expires_at <= created_at + interval '8 hours'),
    ADD CONSTRAINT staff_sessions_while_open CHECK (authenticated_at <= expires_at and last_seen_at <= expires_at);
CREATE TRIGGER staff_sessions_written_once BEFORE UPDATE ON staff_sessions FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('revoked_at');
CREATE TRIGGER api_keys_written_once BEFORE UPDATE ON api_keys FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('revoked_at', 'expires_at');
CREATE TRIGGER webhook_endpoints_written_once BEFORE UPDATE ON webhook_endpoints FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('removed_at');
CREATE TRIGGER staff_invitations_written_once BEFORE UPDATE ON staff_invitations FOR EACH ROW
    EXECUTE FUNCTION refuse_second_writing('ended_at', 'ended_by', 'staff_id');

-- A demo's time is moved on with the sessions in it; on any other desk nobody's session is carried anywhere.
CREATE FUNCTION carry_sessions(p_by interval, p_now timestamptz, p_idle interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM installation WHERE demo) THEN
        RAISE EXCEPTION 'only a demo moves its time on' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE staff_sessions
    SET created_at = created_at + p_by, last_seen_at = last_seen_at + p_by,
        authenticated_at = authenticated_at + p_by, expires_at = expires_at + p_by
    WHERE revoked_at IS NULL AND expires_at > p_now AND last_seen_at > p_now - p_idle;
END $$;

-- Whoever comes in, proves again who they are, may call the interface, is sent events, comes back to work here or is
-- said to have no tie: an entry of the same transaction says so. The owner of the tables could take this away, so
-- nothing is asked of it.
CREATE FUNCTION require_entry() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    noun CONSTANT text := TG_ARGV[0];
    number CONSTANT text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
    IF pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT FROM audit_entries
        WHERE object_kind = noun AND (object_id = number OR after ->> 'replaced_by' = number)
            AND xid = pg_current_xact_id() AND action LIKE TG_ARGV[2]
    ) THEN
        RAISE EXCEPTION 'No entry of this transaction tells of % %', noun, number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER staff_sessions_begin_recorded AFTER INSERT ON staff_sessions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION require_entry('staff_session', 'id', '%:session:begin');
CREATE CONSTRAINT TRIGGER staff_sessions_sign_in_recorded AFTER UPDATE OF authenticated_at ON staff_sessions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.authenticated_at IS DISTINCT FROM NEW.authenticated_at AND OLD.created_at = NEW.created_at)
    EXECUTE FUNCTION require_entry('staff_session', 'id', '%:session:reauthenticate');
CREATE CONSTRAINT TRIGGER api_keys_recorded AFTER INSERT OR UPDATE OF revoked_at, expires_at ON api_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('api_key', 'id', '%:api_key:%');
CREATE CONSTRAINT TRIGGER webhook_endpoints_recorded AFTER INSERT OR UPDATE OF nonce, removed_at ON webhook_endpoints
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('webhook_endpoint', 'id', '%');
CREATE CONSTRAINT TRIGGER staff_recorded AFTER UPDATE OF active ON staff DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NOT OLD.active AND NEW.active) EXECUTE FUNCTION require_entry('staff', 'id', '%');
CREATE CONSTRAINT TRIGGER staff_ties_recorded AFTER INSERT ON staff_ties
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('staff', 'staff_id', '%:tie:%');
CREATE CONSTRAINT TRIGGER ties_ruled_out_recorded AFTER INSERT ON ties_ruled_out
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_entry('staff', 'staff_id', '%:tie:%');

-- A version of the policy is what one administrator proposed and another published; only the first of each profile comes
-- with the desk.
CREATE FUNCTION require_published() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM policy_versions v WHERE v.profile = NEW.profile AND v.id < NEW.id) AND NOT EXISTS (
        SELECT FROM policy_proposals p
        WHERE p.profile = NEW.profile AND p.status = 'PUBLISHED' AND p.snapshot = NEW.snapshot
          AND p.proposed_by = NEW.proposed_by AND p.settled_by = NEW.approved_by
    ) THEN
        RAISE EXCEPTION 'nobody published version % of %', NEW.version, NEW.profile USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER policy_versions_published AFTER INSERT ON policy_versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_published();

REVOKE ALL ON FUNCTION carry_sessions, require_entry, require_published FROM PUBLIC;
GRANT EXECUTE ON FUNCTION carry_sessions TO app;
