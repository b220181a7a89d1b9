-- What a stored status may become. Milestones have their own table since the beginning; these are all the others.
-- Where an action takes several steps before it writes, the chains of steps are let through as well.
CREATE TABLE status_moves (
    relation VARCHAR NOT NULL,
    from_status VARCHAR NOT NULL,
    to_status VARCHAR NOT NULL,
    CONSTRAINT status_moves_pkey PRIMARY KEY (relation, from_status, to_status)
);

INSERT INTO status_moves (relation, from_status, to_status)
SELECT moves.relation, moves.from_status, unnest(moves.to_statuses) FROM (VALUES
    ('chargeback_acceptances', 'PROPOSED', '{ACCEPTED,WITHDRAWN}'::varchar[]),
    ('chargebacks', 'lost', '{prevented,warning_closed,won}'::varchar[]),
    ('chargebacks', 'needs_response', '{lost,prevented,under_review,warning_closed,warning_needs_response,warning_under_review,won}'::varchar[]),
    ('chargebacks', 'prevented', '{lost,warning_closed,won}'::varchar[]),
    ('chargebacks', 'under_review', '{lost,needs_response,prevented,warning_closed,warning_needs_response,warning_under_review,won}'::varchar[]),
    ('chargebacks', 'warning_closed', '{lost,prevented,won}'::varchar[]),
    ('chargebacks', 'warning_needs_response', '{lost,needs_response,prevented,under_review,warning_closed,warning_under_review,won}'::varchar[]),
    ('chargebacks', 'warning_under_review', '{lost,needs_response,prevented,under_review,warning_closed,warning_needs_response,won}'::varchar[]),
    ('chargebacks', 'won', '{lost,prevented,warning_closed}'::varchar[]),
    ('decisions', 'AWAITING_APPROVAL', '{COOLING_OFF,EXECUTED,RETURNED,VOIDED}'::varchar[]),
    ('decisions', 'COOLING_OFF', '{EXECUTED,VOIDED}'::varchar[]),
    ('duplicate_payments', 'FAILED', '{RETURNED,RETURNING}'::varchar[]),
    ('duplicate_payments', 'RETURNED', '{FAILED}'::varchar[]),
    ('duplicate_payments', 'RETURNING', '{FAILED,RETURNED}'::varchar[]),
    ('engagements', 'ACTIVE', '{ENDED}'::varchar[]),
    ('engagements', 'DRAFT', '{ACTIVE,ENDED}'::varchar[]),
    ('notifications', 'FAILED', '{QUEUED}'::varchar[]),
    ('notifications', 'QUEUED', '{FAILED,SENT}'::varchar[]),
    ('offers', 'OPEN', '{ACCEPTED,DECLINED,EXPIRED,WITHDRAWN}'::varchar[]),
    ('outgoing_events', 'FAILED', '{QUEUED}'::varchar[]),
    ('outgoing_events', 'QUEUED', '{DROPPED,FAILED,SENT}'::varchar[]),
    ('outgoing_events', 'SENT', '{QUEUED}'::varchar[]),
    ('outgoing_operations', 'BLOCKED', '{CANCELED,QUEUED,REFUSED,REVIEW,SENDING,SUCCEEDED}'::varchar[]),
    ('outgoing_operations', 'QUEUED', '{BLOCKED,CANCELED,REFUSED,REVIEW,SENDING,SUCCEEDED}'::varchar[]),
    ('outgoing_operations', 'REFUSED', '{QUEUED,REVIEW,SUCCEEDED}'::varchar[]),
    ('outgoing_operations', 'REVIEW', '{CANCELED,QUEUED,REFUSED,SUCCEEDED}'::varchar[]),
    ('outgoing_operations', 'SENDING', '{BLOCKED,QUEUED,REFUSED,REVIEW,SUCCEEDED}'::varchar[]),
    ('outgoing_operations', 'SUCCEEDED', '{REFUSED,REVIEW}'::varchar[]),
    ('party_requests', 'OPEN', '{ANSWERED,UNANSWERED,WITHDRAWN}'::varchar[]),
    ('payment_orders', 'CHARGEBACK_REVIEW', '{PAID_HELD,PARTIALLY_RELEASED,REFUNDED,REFUND_PENDING,RELEASED}'::varchar[]),
    ('payment_orders', 'PAID_HELD', '{CHARGEBACK_REVIEW,PARTIALLY_RELEASED,REFUNDED,REFUND_PENDING,RELEASED}'::varchar[]),
    ('payment_orders', 'PARTIALLY_RELEASED', '{CHARGEBACK_REVIEW,PAID_HELD,REFUNDED,REFUND_PENDING,RELEASED}'::varchar[]),
    ('payment_orders', 'PENDING_PAYMENT', '{CANCELED,CHARGEBACK_REVIEW,PAID_HELD,PARTIALLY_RELEASED,REFUNDED,REFUND_PENDING,RELEASED,UNPAID}'::varchar[]),
    ('payment_orders', 'REFUNDED', '{CHARGEBACK_REVIEW,PAID_HELD,PARTIALLY_RELEASED,REFUND_PENDING,RELEASED}'::varchar[]),
    ('payment_orders', 'REFUND_PENDING', '{CHARGEBACK_REVIEW,PAID_HELD,PARTIALLY_RELEASED,REFUNDED,RELEASED}'::varchar[]),
    ('payment_orders', 'RELEASED', '{CHARGEBACK_REVIEW,PAID_HELD,PARTIALLY_RELEASED,REFUNDED,REFUND_PENDING}'::varchar[]),
    ('payment_orders', 'UNPAID', '{CANCELED,CHARGEBACK_REVIEW,PAID_HELD,PARTIALLY_RELEASED,PENDING_PAYMENT,REFUNDED,REFUND_PENDING,RELEASED}'::varchar[]),
    ('payout_offers', 'OPEN', '{CHOSEN,OVERTAKEN}'::varchar[]),
    ('payouts', 'ADMINISTRATIVE_REVIEW', '{CANCELED,FAILED,IN_TRANSIT,PAID,REQUESTED,SENDING,TRANSFERRED}'::varchar[]),
    ('payouts', 'FAILED', '{ADMINISTRATIVE_REVIEW,CANCELED,IN_TRANSIT,PAID,REQUESTED,SENDING,TRANSFERRED}'::varchar[]),
    ('payouts', 'IN_TRANSIT', '{ADMINISTRATIVE_REVIEW,CANCELED,FAILED,PAID,REQUESTED,SENDING,TRANSFERRED}'::varchar[]),
    ('payouts', 'PAID', '{ADMINISTRATIVE_REVIEW,CANCELED,FAILED,IN_TRANSIT,REQUESTED,SENDING,TRANSFERRED}'::varchar[]),
    ('payouts', 'REQUESTED', '{ADMINISTRATIVE_REVIEW,CANCELED,FAILED,IN_TRANSIT,PAID,SENDING,TRANSFERRED}'::varchar[]),
    ('payouts', 'SENDING', '{ADMINISTRATIVE_REVIEW,CANCELED,FAILED,IN_TRANSIT,PAID,REQUESTED,TRANSFERRED}'::varchar[]),
    ('payouts', 'TRANSFERRED', '{ADMINISTRATIVE_REVIEW,CANCELED,FAILED,IN_TRANSIT,PAID,REQUESTED,SENDING}'::varchar[]),
    ('policy_proposals', 'PROPOSED', '{PUBLISHED,REJECTED,WITHDRAWN}'::varchar[]),
    ('projects', 'ACTIVE', '{CANCELED,COMPLETED}'::varchar[]),
    ('reconciliation_runs', 'RUNNING', '{BREAKS,CLEAN,FAILED}'::varchar[]),
    ('refund_returns', 'PROPOSED', '{DONE,WITHDRAWN}'::varchar[]),
    ('refunds', 'CANCELED', '{CHARGED_BACK,FAILED,PENDING,QUEUED,RETURNED,SUCCEEDED}'::varchar[]),
    ('refunds', 'FAILED', '{CANCELED,CHARGED_BACK,PENDING,QUEUED,RETURNED,SUCCEEDED}'::varchar[]),
    ('refunds', 'PENDING', '{CANCELED,CHARGED_BACK,FAILED,QUEUED,RETURNED,SUCCEEDED}'::varchar[]),
    ('refunds', 'QUEUED', '{CANCELED,CHARGED_BACK,FAILED,PENDING,RETURNED,SUCCEEDED}'::varchar[]),
    ('refunds', 'SUCCEEDED', '{CANCELED,CHARGED_BACK,FAILED,PENDING,QUEUED,RETURNED}'::varchar[]),
    ('suspense_items', 'OPEN', '{SETTLED}'::varchar[]),
    ('tickets', 'OPEN', '{RESOLVED,UNDER_REVIEW,WAITING_PARTY,WITHDRAWN}'::varchar[]),
    ('tickets', 'UNDER_REVIEW', '{RESOLVED,WAITING_PARTY,WITHDRAWN}'::varchar[]),
    ('tickets', 'WAITING_PARTY', '{RESOLVED,UNDER_REVIEW,WITHDRAWN}'::varchar[]),
    ('webhook_events', 'FAILED', '{RECEIVED}'::varchar[]),
    ('webhook_events', 'RECEIVED', '{APPLIED,FAILED,IGNORED}'::varchar[])
) AS moves (relation, from_status, to_statuses);

CREATE FUNCTION check_status_move() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM status_moves
        WHERE relation = TG_TABLE_NAME AND from_status = OLD.status AND to_status = NEW.status
    ) THEN
        RAISE EXCEPTION '% cannot become % in %', OLD.status, NEW.status, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_payment_state() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM status_moves
        WHERE relation = TG_TABLE_NAME AND from_status = OLD.state AND to_status = NEW.state
    ) THEN
        RAISE EXCEPTION '% cannot become % in %', OLD.state, NEW.state, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER chargeback_acceptances_legal_move BEFORE UPDATE OF status ON chargeback_acceptances FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER chargebacks_legal_move BEFORE UPDATE OF status ON chargebacks FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER decisions_legal_move BEFORE UPDATE OF status ON decisions FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER duplicate_payments_legal_move BEFORE UPDATE OF status ON duplicate_payments FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER engagements_legal_move BEFORE UPDATE OF status ON engagements FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER notifications_legal_move BEFORE UPDATE OF status ON notifications FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER offers_legal_move BEFORE UPDATE OF status ON offers FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER outgoing_events_legal_move BEFORE UPDATE OF status ON outgoing_events FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER outgoing_operations_legal_move BEFORE UPDATE OF status ON outgoing_operations FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER party_requests_legal_move BEFORE UPDATE OF status ON party_requests FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER payment_orders_legal_move BEFORE UPDATE OF state ON payment_orders FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION check_payment_state();
CREATE TRIGGER payout_offers_legal_move BEFORE UPDATE OF status ON payout_offers FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER payouts_legal_move BEFORE UPDATE OF status ON payouts FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER policy_proposals_legal_move BEFORE UPDATE OF status ON policy_proposals FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER projects_legal_move BEFORE UPDATE OF status ON projects FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER reconciliation_runs_legal_move BEFORE UPDATE OF status ON reconciliation_runs FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER refund_returns_legal_move BEFORE UPDATE OF status ON refund_returns FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER refunds_legal_move BEFORE UPDATE OF status ON refunds FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER suspense_items_legal_move BEFORE UPDATE OF status ON suspense_items FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER tickets_legal_move BEFORE UPDATE OF status ON tickets FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();
CREATE TRIGGER webhook_events_legal_move BEFORE UPDATE OF status ON webhook_events FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_status_move();

GRANT SELECT ON status_moves TO app, auditor;
