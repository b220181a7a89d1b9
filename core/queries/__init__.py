"""Show it: read models for the pages. A function takes a session and returns frozen rows; the number of statements
never depends on the number of rows."""
