-- No status changes without an entry of the audit log, written in the same transaction and about the same object: the
-- commit is refused. So a change by hand is refused as well, unless whoever makes it leaves an entry with record_audit().
CREATE FUNCTION require_status_entry() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
DECLARE
    -- Given with the trigger: what the log calls the object, the column of its status, the column that names it.
    noun CONSTANT text := TG_ARGV[0];
    number text;
    status text;
BEGIN
    EXECUTE format('SELECT ($1).%I::text, ($1).%I::text', TG_ARGV[2], TG_ARGV[1]) INTO number, status USING NEW;
    IF NOT EXISTS (
        SELECT FROM audit_entries
        WHERE object_kind = noun AND object_id = number AND xid = pg_current_xact_id()
            AND (after ->> TG_ARGV[1] = status OR after -> 'through' ? status)
    ) THEN
        RAISE EXCEPTION 'No entry of this transaction says that % % became %', noun, number, status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION require_status_entry FROM PUBLIC;

CREATE CONSTRAINT TRIGGER chargeback_acceptances_recorded AFTER UPDATE OF status ON chargeback_acceptances DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('chargeback_acceptance', 'status', 'id');
CREATE CONSTRAINT TRIGGER chargebacks_recorded AFTER UPDATE OF status ON chargebacks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('chargeback', 'status', 'id');
CREATE CONSTRAINT TRIGGER decisions_recorded AFTER UPDATE OF status ON decisions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('decision', 'status', 'id');
CREATE CONSTRAINT TRIGGER duplicate_payments_recorded AFTER UPDATE OF status ON duplicate_payments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('duplicate', 'status', 'id');
CREATE CONSTRAINT TRIGGER engagements_recorded AFTER UPDATE OF status ON engagements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('engagement', 'status', 'project_id');
CREATE CONSTRAINT TRIGGER milestones_recorded AFTER UPDATE OF status ON milestones DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('milestone', 'status', 'id');
CREATE CONSTRAINT TRIGGER notifications_recorded AFTER UPDATE OF status ON notifications DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('letter', 'status', 'id');
CREATE CONSTRAINT TRIGGER offers_recorded AFTER UPDATE OF status ON offers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('offer', 'status', 'id');
CREATE CONSTRAINT TRIGGER outgoing_events_recorded AFTER UPDATE OF status ON outgoing_events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('outgoing_event', 'status', 'id');
CREATE CONSTRAINT TRIGGER outgoing_operations_recorded AFTER UPDATE OF status ON outgoing_operations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('operation', 'status', 'id');
CREATE CONSTRAINT TRIGGER party_requests_recorded AFTER UPDATE OF status ON party_requests DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('party_request', 'status', 'id');
CREATE CONSTRAINT TRIGGER payment_orders_recorded AFTER UPDATE OF state ON payment_orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION require_status_entry('payment_order', 'state', 'milestone_id');
CREATE CONSTRAINT TRIGGER payout_offers_recorded AFTER UPDATE OF status ON payout_offers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('payout_offer', 'status', 'id');
CREATE CONSTRAINT TRIGGER payouts_recorded AFTER UPDATE OF status ON payouts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('payout', 'status', 'id');
CREATE CONSTRAINT TRIGGER policy_proposals_recorded AFTER UPDATE OF status ON policy_proposals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('policy_proposal', 'status', 'id');
CREATE CONSTRAINT TRIGGER projects_recorded AFTER UPDATE OF status ON projects DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('project', 'status', 'id');
CREATE CONSTRAINT TRIGGER reconciliation_runs_recorded AFTER UPDATE OF status ON reconciliation_runs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('reconciliation', 'status', 'id');
CREATE CONSTRAINT TRIGGER refund_returns_recorded AFTER UPDATE OF status ON refund_returns DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('refund_return', 'status', 'id');
CREATE CONSTRAINT TRIGGER refunds_recorded AFTER UPDATE OF status ON refunds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('refund', 'status', 'id');
CREATE CONSTRAINT TRIGGER suspense_items_recorded AFTER UPDATE OF status ON suspense_items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('suspense', 'status', 'id');
CREATE CONSTRAINT TRIGGER tickets_recorded AFTER UPDATE OF status ON tickets DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('ticket', 'status', 'id');
CREATE CONSTRAINT TRIGGER webhook_events_recorded AFTER UPDATE OF status ON webhook_events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION require_status_entry('webhook_event', 'status', 'id');

-- What somebody wrote stays as they wrote it: the application adds messages and changes none.
REVOKE UPDATE ON messages FROM app;
