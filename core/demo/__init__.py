"""A desk to look at: made-up people and cases, filled by running the real flow on a simulated clock."""
