-- What the desk writes there is a member of an enum; the database lets nothing else in.
ALTER TABLE api_answers ADD CONSTRAINT api_answers_platform CHECK (platform in ('home_services', 'legal_services'));
ALTER TABLE cases ADD CONSTRAINT cases_reason CHECK (reason in (
    'NOT_STARTED', 'NO_SHOW', 'INCOMPLETE', 'DEFECTIVE', 'NOT_AS_AGREED', 'DAMAGE', 'OTHER', 'NO_ANSWER', 'OPENED_BY_STAFF'
));
ALTER TABLE decisions ADD CONSTRAINT decisions_ground CHECK (ground in (
    'WORK_DELIVERED', 'PARTIAL_WORK', 'WORK_NOT_AS_AGREED', 'SERVICE_NOT_STARTED', 'PROVIDER_NO_SHOW', 'DUPLICATE_PAYMENT', 'AGREED_CANCELLATION', 'OUTCOME_DISSATISFACTION', 'AGREED_SPLIT'
));
ALTER TABLE parties ADD CONSTRAINT parties_withdrawal_method CHECK (withdrawal_method in ('standard', 'instant', 'check', 'wire'));
ALTER TABLE payment_events ADD CONSTRAINT payment_events_from_state CHECK (from_state in (
    'UNPAID', 'PENDING_PAYMENT', 'PAID_HELD', 'PARTIALLY_RELEASED', 'RELEASED', 'REFUND_PENDING', 'REFUNDED', 'CHARGEBACK_REVIEW', 'CANCELED'
));
ALTER TABLE payment_events ADD CONSTRAINT payment_events_to_state CHECK (to_state in (
    'UNPAID', 'PENDING_PAYMENT', 'PAID_HELD', 'PARTIALLY_RELEASED', 'RELEASED', 'REFUND_PENDING', 'REFUNDED', 'CHARGEBACK_REVIEW', 'CANCELED'
));
ALTER TABLE payout_offers ADD CONSTRAINT payout_offers_chosen_method CHECK (chosen_method in ('standard', 'instant', 'check', 'wire'));
ALTER TABLE payouts ADD CONSTRAINT payouts_method CHECK (method in ('standard', 'instant', 'check', 'wire'));
ALTER TABLE projects ADD CONSTRAINT projects_fee_mode CHECK (fee_mode in ('CONSULTATION_FIXED', 'STAGED', 'HOURLY_OPEN_ENDED', 'TRUST_ACCOUNT'));
ALTER TABLE projects ADD CONSTRAINT projects_platform CHECK (platform in ('home_services', 'legal_services'));
ALTER TABLE projects ADD CONSTRAINT projects_project_type CHECK (project_type in (
    'KITCHEN', 'BATHROOM', 'ROOFING', 'PAINTING', 'LANDSCAPING', 'ELECTRICAL', 'PLUMBING', 'FLOORING', 'ADDITION', 'CONSULTATION', 'STAGED_REPRESENTATION', 'DOCUMENT_REVIEW'
));
ALTER TABLE projects ADD CONSTRAINT projects_size CHECK (size in ('SMALL', 'MEDIUM', 'LARGE'));
ALTER TABLE refunds ADD CONSTRAINT refunds_ground CHECK (ground in (
    'WORK_DELIVERED', 'PARTIAL_WORK', 'WORK_NOT_AS_AGREED', 'SERVICE_NOT_STARTED', 'PROVIDER_NO_SHOW', 'DUPLICATE_PAYMENT', 'AGREED_CANCELLATION', 'OUTCOME_DISSATISFACTION', 'AGREED_SPLIT'
));
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_proposed_as CHECK (proposed_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED', 'PAYEE_DEBT'
));
ALTER TABLE suspense_items ADD CONSTRAINT suspense_items_settled_as CHECK (settled_as in (
    'OWN_MONEY', 'PROCESSOR_FEE', 'CONCESSION', 'CHARGEBACK_LOSS', 'EACH_OTHER', 'RETURN_TO_PAYER', 'REFUND_OWED', 'PAYEE_DEBT'
));
