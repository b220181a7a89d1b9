-- Money of customers moves by the kinds of journals that the desk's posting functions make, and by each of them to the sides
-- that it debits and credits. Whoever may call post_journal() can post no other. core/ledger/kinds.py has the same table.
CREATE TABLE journal_kinds (
    kind TEXT COLLATE "C" NOT NULL,
    debits TEXT[] COLLATE "C" NOT NULL,
    credits TEXT[] COLLATE "C" NOT NULL,
    CONSTRAINT journal_kinds_pkey PRIMARY KEY (kind)
);
INSERT INTO journal_kinds (kind, debits, credits) VALUES
    ('bank_line_unexplained', '{}', '{}'),
    ('charge_settled', '{}', '{deferred_platform_fee,held}'),
    ('chargeback_loss_overtaken', '{refund_payable,unapplied_funds}', '{}'),
    ('chargeback_lost_abroad', '{}', '{}'),
    ('chargeback_lost_after_release', '{receivable_payee,refund_payable}', '{}'),
    ('chargeback_lost_on_duplicate', '{unapplied_funds}', '{}'),
    ('chargeback_lost_while_held', '{deferred_platform_fee,held}', '{}'),
    ('chargeback_opened', '{}', '{}'),
    ('chargeback_regained', '{}', '{refund_payable,unapplied_funds}'),
    ('chargeback_won', '{}', '{}'),
    ('debt_written_off', '{}', '{receivable_payee}'),
    ('decided', '{deferred_platform_fee,held}', '{payee_payable,refund_payable}'),
    ('duplicate_money', '{}', '{unapplied_funds}'),
    ('duplicate_refunded', '{unapplied_funds}', '{}'),
    ('exchanged', '{}', '{}'),
    ('journal_reversed', '{receivable_payee}', '{receivable_payee}'),
    ('line_difference', '{}', '{}'),
    ('manual_journal', '{receivable_payee}', '{receivable_payee}'),
    ('manual_journal_reversed', '{receivable_payee}', '{receivable_payee}'),
    ('opening_balance', '{}', '{}'),
    ('payee_line_booked', '{connected_balance,connected_claim,connected_in_transit}', '{connected_balance,connected_claim,connected_in_transit}'),
    ('payee_transfer_reversed', '{connected_claim}', '{connected_balance}'),
    ('payout_failed', '{connected_balance}', '{connected_in_transit}'),
    ('payout_paid', '{connected_claim}', '{connected_in_transit}'),
    ('payout_returned', '{connected_balance}', '{connected_claim}'),
    ('payout_sent', '{connected_in_transit}', '{connected_balance}'),
    ('platform_payout_failed', '{}', '{}'),
    ('platform_payout_paid', '{}', '{}'),
    ('platform_payout_returned', '{}', '{}'),
    ('platform_payout_sent', '{}', '{}'),
    ('processor_fee', '{}', '{}'),
    ('receivable_offset', '{payee_payable}', '{receivable_payee}'),
    ('refund_came_back', '{}', '{refund_payable}'),
    ('refund_canceled', '{}', '{refund_payable}'),
    ('refund_failed', '{}', '{refund_payable}'),
    ('refund_made_by_hand', '{refund_payable}', '{}'),
    ('refund_never_left', '{}', '{refund_payable}'),
    ('refund_returned', '{refund_payable}', '{}'),
    ('refund_succeeded', '{refund_payable}', '{}'),
    ('suspense_settled', '{receivable_payee,unapplied_funds}', '{receivable_payee,unapplied_funds}'),
    ('top_up_returned', '{}', '{}'),
    ('topped_up', '{}', '{}'),
    ('transfer_arrived', '{connected_balance}', '{connected_claim}'),
    ('transfer_reversed', '{}', '{receivable_payee}'),
    ('transfer_taken_back', '{connected_claim}', '{connected_balance}'),
    ('unknown_money', '{}', '{}'),
    ('withdrawal', '{payee_payable}', '{}'),
    ('withdrawal_fee_charged', '{receivable_payee}', '{}'),
    ('year_closed', '{}', '{}'),
    ('year_reopened', '{}', '{}');
GRANT SELECT ON journal_kinds TO app, auditor, bookkeeper;

-- Bits 10 to 17 of an account's number are its line in the chart: 1 to 6 are what is held and owed, from 193 on the memo book.
CREATE FUNCTION check_journal_kind() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = public, pg_temp AS $$
DECLARE
    v_kind journal_kinds;
BEGIN
    SELECT * INTO v_kind FROM journal_kinds k WHERE k.kind = NEW.kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no posting function makes a journal of kind %', NEW.kind USING ERRCODE = 'LD008';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(NEW.account_ids, NEW.amounts) AS p (account, amount)
        JOIN chart c ON c.line = p.account >> 10 & 255
        WHERE (c.line <= 6 OR c.line >= 193)
          AND c.name <> ALL (CASE WHEN p.amount > 0 THEN v_kind.debits ELSE v_kind.credits END)
    ) THEN
        RAISE EXCEPTION 'a journal of kind % does not move this money of customers: %', NEW.kind, NEW.key
            USING ERRCODE = 'LD008';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION check_journal_kind FROM PUBLIC;
CREATE TRIGGER journals_of_a_kind AFTER INSERT ON journals FOR EACH ROW EXECUTE FUNCTION check_journal_kind();
