-- The chart that an accountant signs: a number, a subtotal and a title for each line, equity among the types, and the
-- accounts that a balance sheet needs. Numbers of the database (`line`) stay what they are.
ALTER TABLE chart
    DROP CONSTRAINT chart_kind_check,
    ADD CONSTRAINT chart_kind_check CHECK (kind in ('asset', 'liability', 'equity', 'income', 'expense')),
    ADD COLUMN gl_number SMALLINT,
    ADD COLUMN subtotal TEXT,
    ADD COLUMN title TEXT;
INSERT INTO chart (line, gl_number, subtotal, title, name, kind, book, per) VALUES
    (129, 1010, 'cash', 'Cash at Stripe', 'stripe_balance', 'asset', 'platform', null),
    (143, 1020, 'cash', 'Reserves held by Stripe', 'stripe_reserve', 'asset', 'platform', null),
    (8, 1030, 'cash', 'Platform payouts in transit', 'payout_in_transit', 'asset', 'platform', null),
    (138, 1110, 'cash', 'Bank', 'bank', 'asset', 'platform', null),
    (7, 1210, 'receivables', 'Disputed funds', 'disputed_funds', 'asset', 'platform', null),
    (5, 1220, 'receivables', 'Receivables from payees', 'receivable_payee', 'asset', 'platform', 'party'),
    (1, 2010, 'client_funds', 'Client funds held', 'held', 'liability', 'platform', 'milestone'),
    (4, 2020, 'client_funds', 'Payee payables', 'payee_payable', 'liability', 'platform', 'party'),
    (2, 2030, 'client_funds', 'Refunds payable', 'refund_payable', 'liability', 'platform', 'milestone'),
    (6, 2040, 'client_funds', 'Unapplied receipts', 'unapplied_funds', 'liability', 'platform', null),
    (3, 2110, 'deferred_income', 'Deferred platform fees', 'deferred_platform_fee', 'liability', 'platform', 'milestone'),
    (139, 2910, 'suspense', 'Suspense', 'suspense', 'liability', 'platform', null),
    (141, 3010, 'equity', 'Opening balances', 'opening_balances', 'equity', 'platform', null),
    (142, 3110, 'equity', 'Retained earnings', 'retained_earnings', 'equity', 'platform', null),
    (130, 4010, 'revenue', 'Platform fees earned', 'platform_fee_revenue', 'income', 'platform', null),
    (131, 4020, 'revenue', 'Processing fee recoveries', 'processing_fee_recovery', 'income', 'platform', null),
    (132, 4030, 'revenue', 'Withdrawal fees', 'withdrawal_fee_revenue', 'income', 'platform', null),
    (144, 4910, 'other_income', 'Other income', 'other_income', 'income', 'platform', null),
    (133, 5010, 'payment_costs', 'Processing fees, estimated', 'processor_fees', 'expense', 'platform', null),
    (134, 5020, 'payment_costs', 'Processing fee variance', 'fee_variance', 'expense', 'platform', null),
    (135, 5030, 'payment_costs', 'Chargeback fees', 'dispute_fees', 'expense', 'platform', null),
    (146, 5040, 'payment_costs', 'Bank charges', 'bank_charges', 'expense', 'platform', null),
    (136, 5110, 'losses', 'Chargeback losses', 'chargeback_losses', 'expense', 'platform', null),
    (137, 5120, 'losses', 'Refund concessions', 'refund_concession', 'expense', 'platform', null),
    (147, 5130, 'losses', 'Bad debts', 'bad_debt', 'expense', 'platform', null),
    (145, 5910, 'other_expenses', 'Other expenses', 'other_expense', 'expense', 'platform', null),
    (140, 5920, 'other_expenses', 'Exchange differences', 'exchange_difference', 'expense', 'platform', null),
    (194, 9010, 'payees_cash', 'Payee''s balance at Stripe (memorandum)', 'connected_balance', 'asset', 'payee', 'party'),
    (195, 9020, 'payees_cash', 'Payee''s payouts in transit (memorandum)', 'connected_in_transit', 'asset', 'payee', 'party'),
    (193, 9110, 'payees_claim', 'Payees'' claim (memorandum)', 'connected_claim', 'liability', 'payee', null)
ON CONFLICT (line) DO UPDATE SET gl_number = excluded.gl_number, subtotal = excluded.subtotal, title = excluded.title;
ALTER TABLE chart
    ALTER COLUMN gl_number SET NOT NULL,
    ALTER COLUMN subtotal SET NOT NULL,
    ALTER COLUMN title SET NOT NULL,
    ADD UNIQUE (gl_number),
    ADD CONSTRAINT chart_gl_number_of_type CHECK (case when book = 'payee' then gl_number / 1000 = 9
        else gl_number / 1000 = array_position(array['asset', 'liability', 'equity', 'income', 'expense'], kind) end);
