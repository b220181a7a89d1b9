-- The search looks for what the bank calls a line.
CREATE INDEX bank_statement_lines_reference_idx ON bank_statement_lines (reference) WHERE reference <> '';
