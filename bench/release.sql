-- One journal: a release of 10.00 from a milestone, and the 0.25 of platform fee that is earned with it. As in the desk
-- itself the client numbers the accounts (object * 2^18 + line * 2^10 + 840 for USD) and keys count up.
\set milestone random(1, :milestones)
\set payee :milestones + random(1, :payees)
\set held :milestone * 262144 + 1864
\set deferred_platform_fee :milestone * 262144 + 3912
\set payee_payable :payee * 262144 + 4936
\set n :n + 1
select post_journal('release/' || :run::bigint || '/' || :client_id::bigint || '/' || :n::bigint, 'decided', array[133960, :held, :deferred_platform_fee, :payee_payable]::bigint[], array[-25, 1000, 25, -1000]::bigint[], :milestone, :payee, 'Released to the payee', '{"decision" : 17}', now());
