"""What is kept about a person: legal holds."""
