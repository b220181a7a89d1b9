"""Numbers of the system, the same for every project: sessions, and how long an outgoing operation is tried."""

from __future__ import annotations

from datetime import timedelta

STEP_UP_WITHIN = timedelta(minutes=5)
SESSION_IDLE = timedelta(minutes=15)
SESSION_ABSOLUTE = timedelta(hours=8)
# Outgoing operations: the processor forgets idempotency keys after 24 h, so nothing is resent later than 23 h.
TRIES = 8
GIVE_UP_AFTER = timedelta(hours=23)
RETRY_FIRST = timedelta(seconds=5)
RETRY_FACTOR = 4
RETRY_LONGEST = timedelta(hours=1)
# A declined card is tried again by itself: after 2, 6, 18 and 54 hours, so over a little more than three days.
CARD_RETRIES = 4
CARD_RETRY_FIRST = timedelta(hours=2)
CARD_RETRY_FACTOR = 3
# A payer whose bank wants them to confirm a payment has this long; then it is called off.
CONFIRM_WITHIN = timedelta(hours=24)
# Staff are told again of a chargeback that needs a response, each time so many days before the bank's last moment.
CHARGEBACK_ALARMS = (7, 3, 1)
# What one party offers the other stands for this long.
SETTLEMENT_PROPOSAL_STANDS = timedelta(days=3)
# A day of the books is to be closed so long after its end; finance is reminded of one that is not.
DAY_CLOSED_WITHIN = timedelta(days=3)
# So many people at most are proposed for erasure in one retention run, so that a second person can look at each.
RETENTION_AT_ONCE = 100
# What waits for a second person is returned to its maker after this long, unless it says what was done already.
PROPOSAL_STANDS = timedelta(days=14)
# A role that one administrator gave alone in an emergency ends after this long, unless another keeps it.
EMERGENCY_REVIEWED_WITHIN = timedelta(hours=24)
# The link with which an invited colleague joins the staff is good for this long.
INVITATION_STANDS = timedelta(days=7)
# A payee who owes money is reminded of it this often, the first time this long after the debt arose.
DEBT_REMINDED_EVERY = timedelta(days=14)
# Reviews stay hidden until both are in, or for this long after both were asked.
REVIEWS_HIDDEN_FOR = timedelta(days=14)
# Letters that are not urgent are gathered for this long, or until this hour (UTC) for who wants them once a day or once
# a week (Mondays); so many go in one mail. With a deadline nearer than this a letter goes at once.
LETTERS_GATHERED_FOR = timedelta(minutes=15)
DIGEST_HOUR = 14
DIGEST_MOST = 20
DIGEST_LONGEST = 200_000  # characters of HTML
DEADLINE_NEAR = timedelta(hours=24)
# The worker seals each second. What is older than this and under no seal is a finding: a transaction may stay open for
# a minute (idle_in_transaction_session_timeout), and then the seals after it wait. Clocks may be this far apart.
SEALED_WITHIN = timedelta(seconds=120)
CLOCKS_APART = timedelta(seconds=5)
# A place outside that does not take checkpoints is tried again after this long, twice as long each time, up to the
# longest. Mail and timestamp authorities get the newest so often, and not each second.
OUTSIDE_RETRY_FIRST = timedelta(seconds=1)
OUTSIDE_RETRY_LONGEST = timedelta(minutes=5)
CHECKPOINTS_MAILED_EVERY = timedelta(hours=1)
TIMESTAMPED_EVERY = timedelta(minutes=10)
# What runs by itself is looked at by `doctor`, `/readyz` and `/metrics`. A worker says every four seconds that it
# lives; the rest is due at a stored time, and so much later it is stuck. A call in review, or a day that is over, is a
# person's or the worker's within a day or so.
WORKER_SILENT_AFTER = timedelta(seconds=30)
WEBHOOK_LATE_AFTER = timedelta(minutes=5)
CALL_LATE_AFTER = timedelta(minutes=10)
# The oldest that waits, however often it was tried: beyond the tries of a bad hour, so a person looks.
STRIPE_EVENT_OLDEST = timedelta(hours=1)
OPERATION_OLDEST = timedelta(hours=3)
EMAIL_OLDEST = timedelta(hours=1)
MARKETPLACE_EVENT_OLDEST = timedelta(hours=1)
EXPORT_OLDEST = timedelta(hours=1)  # a worker makes one at a time
REVIEW_WAITS = timedelta(hours=24)
RECONCILED_WITHIN = timedelta(hours=26)
# A payee's account is read when Stripe says that it changed, and so often in any case.
PAYEE_ACCOUNT_READ_EVERY = timedelta(days=1)
# Whoever takes over an account changes its address first: a change of the bank is told at the addresses of so long ago.
OLD_ADDRESS_TOLD_FOR = timedelta(days=30)
# Two people let payouts to a new bank account wait longer, but not for ever: they accept or refuse it in this time.
BANK_WAIT_AT_MOST = timedelta(days=30)
# Stripe's own balance is read every five minutes; a reading older than this covers nothing.
CLIENT_FUNDS_STALE_AFTER = timedelta(minutes=30)
# A bank books some days after the ledger, or before it; the same amount further apart is not taken for the same money.
BANK_MATCH_WITHIN = timedelta(days=5)
