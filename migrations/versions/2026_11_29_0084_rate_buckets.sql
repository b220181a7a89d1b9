-- One table for every share: of an API key, and of an address that was refused at a door.
DROP TABLE api_buckets;
CREATE UNLOGGED TABLE rate_buckets (
    holder VARCHAR NOT NULL,
    tokens DOUBLE PRECISION NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    granted BOOLEAN NOT NULL,
    CONSTRAINT rate_buckets_pkey PRIMARY KEY (holder)
);
CREATE INDEX rate_buckets_at_idx ON rate_buckets (at);
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_buckets TO app;
GRANT SELECT ON rate_buckets TO auditor;
