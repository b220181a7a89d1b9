"""What is kept about a person: legal holds, and erasures by two people."""
