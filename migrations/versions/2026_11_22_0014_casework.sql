-- When a member of staff last had a case open: what came later is unread for them.
CREATE TABLE case_visits (
    ticket_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT case_visits_pkey PRIMARY KEY (ticket_id, staff_id),
    CONSTRAINT case_visits_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT case_visits_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id)
);

-- Who stepped back from a case, and why. It is never given to them again.
CREATE TABLE recusals (
    ticket_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT recusals_pkey PRIMARY KEY (ticket_id, staff_id),
    CONSTRAINT recusals_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT recusals_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT recusals_says_why CHECK (reason <> '')
);
CREATE INDEX recusals_staff_id_idx ON recusals (staff_id);
CREATE TRIGGER recusals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recusals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- The law beside the action: no case belongs to somebody who stepped back from it.
CREATE FUNCTION keep_recusals() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM recusals r WHERE r.ticket_id = NEW.id AND r.staff_id = NEW.mediator_id) THEN
        RAISE EXCEPTION 'staff % stepped back from case %', NEW.mediator_id, NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tickets_keep_recusals BEFORE UPDATE OF mediator_id ON tickets
    FOR EACH ROW WHEN (NEW.mediator_id IS NOT NULL) EXECUTE FUNCTION keep_recusals();

CREATE FUNCTION keep_recusals_from_decisions() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM recusals r
               WHERE r.ticket_id = NEW.ticket_id AND r.staff_id IN (NEW.maker_id, NEW.checker_id)) THEN
        RAISE EXCEPTION 'whoever stepped back from case % neither decides nor approves it', NEW.ticket_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decisions_keep_recusals BEFORE INSERT OR UPDATE OF maker_id, checker_id ON decisions
    FOR EACH ROW EXECUTE FUNCTION keep_recusals_from_decisions();

-- What the one who had a case wrote for the one who has it next (nobody: for whoever takes it from the queue).
CREATE TABLE handovers (
    id BIGSERIAL NOT NULL,
    ticket_id BIGINT NOT NULL,
    by_id BIGINT NOT NULL,
    to_id BIGINT,
    note VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT handovers_pkey PRIMARY KEY (id),
    CONSTRAINT handovers_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT handovers_by_id_fkey FOREIGN KEY (by_id) REFERENCES staff (id),
    CONSTRAINT handovers_to_id_fkey FOREIGN KEY (to_id) REFERENCES staff (id),
    CONSTRAINT handovers_says_something CHECK (note <> '')
);
CREATE INDEX handovers_ticket_id_idx ON handovers (ticket_id);
CREATE TRIGGER handovers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON handovers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- What a party was asked for. At most one is open in a case, and the case waits for it.
CREATE TABLE party_requests (
    id BIGSERIAL NOT NULL,
    ticket_id BIGINT NOT NULL,
    party_id BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    question VARCHAR NOT NULL,
    asked_by BIGINT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT party_requests_pkey PRIMARY KEY (id),
    CONSTRAINT party_requests_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT party_requests_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT party_requests_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES staff (id),
    CONSTRAINT party_requests_kind CHECK (kind in ('ANSWER', 'DOCUMENT')),
    CONSTRAINT party_requests_status CHECK (status in ('OPEN', 'ANSWERED', 'UNANSWERED', 'WITHDRAWN')),
    CONSTRAINT party_requests_ended CHECK ((status = 'OPEN') = (ended_at is null)),
    CONSTRAINT party_requests_due_later CHECK (due_at > asked_at)
);
CREATE INDEX party_requests_ticket_id_idx ON party_requests (ticket_id);
CREATE UNIQUE INDEX party_requests_one_open_idx ON party_requests (ticket_id) WHERE status = 'OPEN';
CREATE TRIGGER party_requests_keep_terms BEFORE UPDATE ON party_requests
    FOR EACH ROW WHEN (
        OLD.status <> 'OPEN'
        OR (OLD.ticket_id, OLD.party_id, OLD.kind, OLD.question, OLD.asked_by, OLD.asked_at, OLD.due_at)
        IS DISTINCT FROM
        (NEW.ticket_id, NEW.party_id, NEW.kind, NEW.question, NEW.asked_by, NEW.asked_at, NEW.due_at)
    ) EXECUTE FUNCTION refuse_rewrite();

-- A case that is decided, settled or taken up again while it waits needs the answer no more.
CREATE FUNCTION end_requests() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE party_requests
       SET status = 'WITHDRAWN', ended_at = coalesce(NEW.resolved_at, NEW.in_mediation_at, asked_at)
     WHERE ticket_id = NEW.id AND status = 'OPEN';
    RETURN NULL;
END $$;
CREATE TRIGGER tickets_end_requests AFTER UPDATE OF status ON tickets
    FOR EACH ROW WHEN (OLD.status = 'WAITING_PARTY' AND NEW.status <> 'WAITING_PARTY') EXECUTE FUNCTION end_requests();

-- Words that were begun and not sent, kept for their writer; emptied, not deleted, when they are sent.
CREATE TABLE half_written (
    ticket_id BIGINT NOT NULL,
    staff_id BIGINT NOT NULL,
    place VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT half_written_pkey PRIMARY KEY (ticket_id, staff_id, place),
    CONSTRAINT half_written_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    CONSTRAINT half_written_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id)
);

-- A note may be about a part of a picture or of a page: left, top, width, height in ten-thousandths of it.
ALTER TABLE evidence_notes ADD COLUMN page BIGINT;
ALTER TABLE evidence_notes ADD COLUMN area BIGINT[];
ALTER TABLE evidence_notes ADD CONSTRAINT evidence_notes_area CHECK (
    area is null or (cardinality(area) = 4 and 0 <= all (area) and area[3] > 0 and area[4] > 0
                     and area[1] + area[3] <= 10000 and area[2] + area[4] <= 10000));
ALTER TABLE evidence_notes ADD CONSTRAINT evidence_notes_page CHECK (page is null or page > 0);

-- A page of a long conversation, and what is unread in it.
CREATE INDEX messages_milestone_at_idx ON messages (milestone_id, at, id);

GRANT SELECT, INSERT, UPDATE ON case_visits, party_requests, half_written TO app;
GRANT SELECT, INSERT ON recusals, handovers TO app;
GRANT SELECT ON recusals, handovers, party_requests TO auditor;
GRANT USAGE ON SEQUENCE handovers_id_seq, party_requests_id_seq TO app;
