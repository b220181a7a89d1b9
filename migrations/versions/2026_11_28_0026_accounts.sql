-- What a payee's account at the provider was opened with, so that another bank or currency is told from the same.
ALTER TABLE parties ADD COLUMN account_currency VARCHAR;
ALTER TABLE parties ADD COLUMN bank_token_sha256 VARCHAR;
