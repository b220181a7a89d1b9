"""The left side of a case, tab by tab."""
