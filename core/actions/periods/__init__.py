"""Closing days and months of the books, and reopening them."""
