-- How far a demo's time is ahead of the computer's. No other desk has a clock that moves.
CREATE TABLE demo_clock (
    id BIGINT NOT NULL,
    ahead INTERVAL NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    stops BIGINT NOT NULL,
    stopped_at TIMESTAMP WITH TIME ZONE NOT NULL,
    arrived_at TIMESTAMP WITH TIME ZONE,
    trouble VARCHAR,
    CONSTRAINT demo_clock_pkey PRIMARY KEY (id),
    CONSTRAINT demo_clock_single CHECK (id = 1),
    CONSTRAINT demo_clock_forward CHECK (ahead >= interval '0'),
    CONSTRAINT demo_clock_somewhere CHECK (until > began_at)
);

CREATE FUNCTION demo_clock_goes_forward() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM installation WHERE demo) THEN
        RAISE EXCEPTION 'only a demo has a clock that can be moved' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.ahead < OLD.ahead OR NEW.until < OLD.until) THEN
        RAISE EXCEPTION 'the clock of a demo only moves forward' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER demo_clock_goes_forward BEFORE INSERT OR UPDATE ON demo_clock
    FOR EACH ROW EXECUTE FUNCTION demo_clock_goes_forward();

GRANT SELECT, INSERT, UPDATE ON demo_clock TO app;
GRANT SELECT ON demo_clock TO auditor;
