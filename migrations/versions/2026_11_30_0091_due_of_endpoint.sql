-- Endpoints are told each for itself: what is due for one is found past all that waits for another.
CREATE INDEX outgoing_events_due_of_endpoint_idx ON outgoing_events (endpoint_id, next_try_at, id)
    WHERE status = 'QUEUED';
