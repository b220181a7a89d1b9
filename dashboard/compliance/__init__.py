"""What the oversight pages are made of: the audit log and its proof, policy, people, holds.

wanted      the filters of the audit log, in the address, as an `AuditFilter`
words       who did it and about what, in words, and the page that shows the object
entry       one entry: facts, before and after side by side, the ways on
difference  before and after as rows of what changed
work        something long that runs beside the page, with its progress
proof       Verify: the run, its progress, what it found
export      Export: the file and its manifest
rulebook    the values of a policy in words
holding     the drawers that place and lift a hold
"""
