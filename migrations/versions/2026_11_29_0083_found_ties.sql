-- A tie that nobody declared is found where a colleague has the e-mail address of a party. Until a person has confirmed it
-- (then it is one of `staff_ties`) or ruled it out, the case is not given to them.
CREATE TABLE ties_ruled_out (
    staff_id BIGINT NOT NULL,
    party_id BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    ruled_by BIGINT NOT NULL,
    ruled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT ties_ruled_out_pkey PRIMARY KEY (staff_id, party_id),
    CONSTRAINT ties_ruled_out_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES staff (id),
    CONSTRAINT ties_ruled_out_party_id_fkey FOREIGN KEY (party_id) REFERENCES parties (id),
    CONSTRAINT ties_ruled_out_ruled_by_fkey FOREIGN KEY (ruled_by) REFERENCES staff (id),
    CONSTRAINT ties_ruled_out_by_another CHECK (ruled_by <> staff_id)
);
GRANT SELECT, INSERT ON ties_ruled_out TO app;
GRANT SELECT ON ties_ruled_out TO auditor;
CREATE INDEX parties_email_idx ON parties (lower(email));
CREATE VIEW found_ties WITH (security_invoker) AS
    SELECT s.id AS staff_id, p.id AS party_id
    FROM staff s JOIN parties p ON lower(p.email) = lower(s.email)
    WHERE s.active
      AND NOT EXISTS (SELECT FROM staff_ties t WHERE t.staff_id = s.id AND t.party_id = p.id)
      AND NOT EXISTS (SELECT FROM ties_ruled_out r WHERE r.staff_id = s.id AND r.party_id = p.id);
GRANT SELECT ON found_ties TO app, auditor;
