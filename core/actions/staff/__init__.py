"""Staff, their sessions, and the policy in force."""
