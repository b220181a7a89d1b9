"""What the oversight pages are made of: the audit log and its proof, policy, people, holds.

audit_filters       the filters of the audit log, in the address, as an `AuditFilter`
audit_labels        who did it and about what, in words, and the page that shows the object
audit_verification  Verify: the run, its progress, what it found · seal_list: the chain of seals
check_runs          the nightly check: its result, its progress, the button that asks for one
entry               one entry: facts, the ways on · difference: before and after as rows of what changed
exports             Export: the file and its manifest
policy_table        the values of a policy in words · proposals: how they change · checklist: what law asks first
hold_panel          the drawers that place and lift a hold · payee_hold_panel: those on a payee as a whole
risk_queue          risk reviews, reports and practices that wait for a person
staff_panel         one member of staff
"""
