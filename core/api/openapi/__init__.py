"""The description of the API, its examples, and its page for people."""
