-- A day of the books that should be closed and is not: finance is reminded of it once, and of the next one later.
CREATE TABLE period_reminders (
    day DATE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT period_reminders_pkey PRIMARY KEY (day)
);
GRANT SELECT, INSERT ON period_reminders TO app;
GRANT SELECT ON period_reminders TO auditor;
