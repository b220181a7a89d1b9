-- What a party, the marketplace's content rules or staff reported about a project. Its number is the report id that
-- holds and audit entries name.
CREATE TABLE reports (
    id BIGSERIAL NOT NULL,
    project_id BIGINT NOT NULL,
    milestone_id BIGINT,
    external_id VARCHAR,
    kind VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    details VARCHAR NOT NULL,
    author_kind VARCHAR NOT NULL,
    author_id BIGINT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome VARCHAR,
    note VARCHAR,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT reports_pkey PRIMARY KEY (id),
    CONSTRAINT reports_project_id_external_id_key UNIQUE (project_id, external_id),
    CONSTRAINT reports_kind CHECK (kind in ('OFF_PLATFORM_CONTACT', 'HARASSMENT', 'THREAT', 'OTHER')),
    CONSTRAINT reports_source CHECK (source in ('PERSON', 'CONTENT_RULE')),
    CONSTRAINT reports_severity CHECK (severity in ('LOW', 'MEDIUM', 'SEVERE')),
    CONSTRAINT reports_author_kind CHECK (author_kind in ('party', 'staff', 'system')),
    CONSTRAINT reports_outcome CHECK (outcome in ('UPHELD', 'DISMISSED')),
    CONSTRAINT reports_settled_by_someone CHECK ((outcome is null) = (settled_at is null) and (outcome is null) = (settled_by is null) and (outcome is null) = (note is null)),
    CONSTRAINT reports_project_id_fkey FOREIGN KEY(project_id) REFERENCES projects (id),
    CONSTRAINT reports_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT reports_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES staff (id)
);

CREATE INDEX reports_project_id_idx ON reports (project_id);

CREATE INDEX reports_open_idx ON reports (project_id, id) WHERE settled_at is null;

-- A practice that is not licensed where the client is.
CREATE TABLE practice_flags (
    id BIGSERIAL NOT NULL,
    project_id BIGINT NOT NULL,
    licensed_in VARCHAR NOT NULL,
    needed_in VARCHAR NOT NULL,
    author_kind VARCHAR NOT NULL,
    author_id BIGINT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolution VARCHAR,
    resolved_by BIGINT,
    resolved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT practice_flags_pkey PRIMARY KEY (id),
    CONSTRAINT practice_flags_author_kind CHECK (author_kind in ('party', 'staff', 'system')),
    CONSTRAINT practice_flags_resolved_by_someone CHECK ((resolution is null) = (resolved_at is null) and (resolution is null) = (resolved_by is null)),
    CONSTRAINT practice_flags_project_id_fkey FOREIGN KEY(project_id) REFERENCES projects (id),
    CONSTRAINT practice_flags_resolved_by_fkey FOREIGN KEY(resolved_by) REFERENCES staff (id)
);

CREATE UNIQUE INDEX practice_flags_one_open_idx ON practice_flags (project_id) WHERE resolved_at is null;

-- A person must look before money moves.
CREATE TABLE risk_reviews (
    id BIGSERIAL NOT NULL,
    milestone_id BIGINT NOT NULL,
    reasons JSONB NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    assigned_to BIGINT,
    outcome VARCHAR,
    note VARCHAR,
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT risk_reviews_pkey PRIMARY KEY (id),
    CONSTRAINT risk_reviews_outcome CHECK (outcome in ('CLEARED', 'HELD')),
    CONSTRAINT risk_reviews_settled_by_someone CHECK ((outcome is null) = (settled_at is null) and (outcome is null) = (settled_by is null) and (outcome is null) = (note is null)),
    CONSTRAINT risk_reviews_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT risk_reviews_assigned_to_fkey FOREIGN KEY(assigned_to) REFERENCES staff (id),
    CONSTRAINT risk_reviews_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES staff (id)
);

CREATE INDEX risk_reviews_milestone_id_idx ON risk_reviews (milestone_id);

CREATE UNIQUE INDEX risk_reviews_one_open_idx ON risk_reviews (milestone_id) WHERE settled_at is null;

-- Both sides of a finished project are asked; nobody reads the other's words before both are in or the time is up.
CREATE TABLE review_rounds (
    project_id BIGINT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revealed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT review_rounds_pkey PRIMARY KEY (project_id),
    CONSTRAINT review_rounds_project_id_fkey FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE INDEX review_rounds_due_idx ON review_rounds (due_at) WHERE revealed_at is null;

CREATE TABLE project_reviews (
    id BIGSERIAL NOT NULL,
    project_id BIGINT NOT NULL,
    author_id BIGINT NOT NULL,
    subject_id BIGINT NOT NULL,
    stars BIGINT NOT NULL,
    body VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT project_reviews_pkey PRIMARY KEY (id),
    CONSTRAINT project_reviews_project_id_author_id_key UNIQUE (project_id, author_id),
    CONSTRAINT project_reviews_stars CHECK (stars between 1 and 5),
    CONSTRAINT project_reviews_two_parties CHECK (author_id <> subject_id),
    CONSTRAINT project_reviews_project_id_fkey FOREIGN KEY(project_id) REFERENCES review_rounds (project_id),
    CONSTRAINT project_reviews_author_id_fkey FOREIGN KEY(author_id) REFERENCES parties (id),
    CONSTRAINT project_reviews_subject_id_fkey FOREIGN KEY(subject_id) REFERENCES parties (id)
);

CREATE INDEX project_reviews_subject_id_idx ON project_reviews (subject_id);

-- A party's rating as it was when a project's reviews were opened: the mean of all its stars, in tenths.
CREATE TABLE final_ratings (
    project_id BIGINT NOT NULL,
    party_id BIGINT NOT NULL,
    reviews BIGINT NOT NULL,
    tenths BIGINT NOT NULL,
    calculated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT final_ratings_pkey PRIMARY KEY (project_id, party_id),
    CONSTRAINT final_ratings_amounts CHECK (reviews > 0 and tenths between 10 and 50),
    CONSTRAINT final_ratings_project_id_fkey FOREIGN KEY(project_id) REFERENCES review_rounds (project_id),
    CONSTRAINT final_ratings_party_id_fkey FOREIGN KEY(party_id) REFERENCES parties (id)
);

CREATE INDEX final_ratings_party_id_idx ON final_ratings (party_id);

-- No payments on a platform before compliance has signed each item.
CREATE TABLE legal_checks (
    platform VARCHAR NOT NULL,
    item VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    signed_by BIGINT NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT legal_checks_pkey PRIMARY KEY (platform, item),
    CONSTRAINT legal_checks_platform CHECK (platform in ('home_services', 'legal_services')),
    CONSTRAINT legal_checks_item CHECK (item in ('COUNSEL', 'PROCESSOR_TERMS', 'CHARGEBACK_WORKFLOW', 'PRIVACY')),
    CONSTRAINT legal_checks_signed_by_fkey FOREIGN KEY(signed_by) REFERENCES staff (id)
);

-- Receipts, invoices and credit notes. The paper is drawn from the row when it is asked for.
CREATE TABLE receipts (
    id BIGSERIAL NOT NULL,
    key VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    milestone_id BIGINT NOT NULL,
    payer_id BIGINT NOT NULL,
    payee_id BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    total_minor BIGINT NOT NULL,
    lines JSONB NOT NULL,
    scope JSONB NOT NULL,
    scope_hash VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT receipts_pkey PRIMARY KEY (id),
    CONSTRAINT receipts_key_key UNIQUE (key),
    CONSTRAINT receipts_kind CHECK (kind in ('FUNDING', 'RELEASE', 'REFUND')),
    CONSTRAINT receipts_total_positive CHECK (total_minor > 0),
    CONSTRAINT receipts_milestone_id_fkey FOREIGN KEY(milestone_id) REFERENCES milestones (id),
    CONSTRAINT receipts_payer_id_fkey FOREIGN KEY(payer_id) REFERENCES parties (id),
    CONSTRAINT receipts_payee_id_fkey FOREIGN KEY(payee_id) REFERENCES parties (id)
);

CREATE INDEX receipts_milestone_id_idx ON receipts (milestone_id);

-- A revised profile that one administrator proposed and another has to approve.
CREATE TABLE policy_proposals (
    id BIGSERIAL NOT NULL,
    profile VARCHAR NOT NULL,
    based_on BIGINT NOT NULL,
    snapshot JSONB NOT NULL,
    reason VARCHAR NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE,
    proposed_by BIGINT NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'PROPOSED',
    settled_by BIGINT,
    settled_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR,
    CONSTRAINT policy_proposals_pkey PRIMARY KEY (id),
    CONSTRAINT policy_proposals_status CHECK (status in ('PROPOSED', 'PUBLISHED', 'REJECTED', 'WITHDRAWN')),
    CONSTRAINT policy_proposals_settled_by_someone CHECK ((status = 'PROPOSED') = (settled_at is null) and (settled_at is null) = (settled_by is null)),
    CONSTRAINT policy_proposals_two_people CHECK (status <> 'PUBLISHED' or settled_by <> proposed_by),
    CONSTRAINT policy_proposals_based_on_fkey FOREIGN KEY(based_on) REFERENCES policy_versions (id),
    CONSTRAINT policy_proposals_proposed_by_fkey FOREIGN KEY(proposed_by) REFERENCES staff (id),
    CONSTRAINT policy_proposals_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES staff (id)
);

CREATE UNIQUE INDEX policy_proposals_one_open_idx ON policy_proposals (profile) WHERE status = 'PROPOSED';

-- What was reported, proposed, signed, written and charged stays as it was.
CREATE TRIGGER reports_keep_words BEFORE UPDATE ON reports
    FOR EACH ROW WHEN (
        (OLD.id, OLD.project_id, OLD.milestone_id, OLD.external_id, OLD.kind, OLD.source, OLD.severity, OLD.details,
         OLD.author_kind, OLD.author_id, OLD.at)
        IS DISTINCT FROM
        (NEW.id, NEW.project_id, NEW.milestone_id, NEW.external_id, NEW.kind, NEW.source, NEW.severity, NEW.details,
         NEW.author_kind, NEW.author_id, NEW.at)
    ) EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER policy_proposals_keep_words BEFORE UPDATE ON policy_proposals
    FOR EACH ROW WHEN (
        (OLD.id, OLD.profile, OLD.based_on, OLD.snapshot, OLD.reason, OLD.effective_at, OLD.proposed_by, OLD.proposed_at)
        IS DISTINCT FROM
        (NEW.id, NEW.profile, NEW.based_on, NEW.snapshot, NEW.reason, NEW.effective_at, NEW.proposed_by, NEW.proposed_at)
    ) EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER project_reviews_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON project_reviews
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER final_ratings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON final_ratings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER legal_checks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON legal_checks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER receipts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

GRANT SELECT, INSERT ON project_reviews, final_ratings, legal_checks, receipts TO app;
GRANT SELECT, INSERT, UPDATE ON reports, practice_flags, risk_reviews, review_rounds, policy_proposals TO app;
GRANT USAGE ON SEQUENCE
    reports_id_seq, practice_flags_id_seq, risk_reviews_id_seq, project_reviews_id_seq, receipts_id_seq,
    policy_proposals_id_seq
    TO app;
GRANT SELECT ON
    reports, practice_flags, risk_reviews, review_rounds, project_reviews, final_ratings, legal_checks, receipts,
    policy_proposals
    TO auditor;
