"""Backups that prove themselves, and a desk made again from one.

The laws of this package:

- Order: checkpoints, then the database, then the evidence, then the keys. A database that knows more than its
  checkpoints is signed on; a file of evidence lies there before its row, and a key before its file.
- A backup is whole or is none: it is made under a draft name, read back, and renamed. A restore's database comes in one
  transaction, with the row that keeps it from sending (`core.records.restores`).
- Keys never lie where the database does: they go into a file of their own, under a passphrase.
- Nothing is overwritten: neither a home nor a database that holds anything.
"""
