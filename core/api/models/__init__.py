"""What comes in and what goes out, field by field."""
