"""Do it: each action is one function that takes a session, an actor and keyword arguments, and is one transaction.

An action asks for permission, locks what it changes (milestone first, then cases and holds, then the ledger's
accounts, then outgoing operations), applies the rules, and leaves state, journal, audit entry, outgoing operation and
letters behind together. It flushes; the edge commits. It never talks to the world outside.
"""
