"""What is kept about a person: one file of all of it, legal holds, and erasures by two people."""
