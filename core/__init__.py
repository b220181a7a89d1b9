"""The escrow desk without its screens: rules, records, the ledger, gateways, actions and queries.

Imports run down only: actions, queries, exports → ledger, gateways, outbox, audit, notifications → records → db
→ rules → policy, money, errors, clock.
"""
