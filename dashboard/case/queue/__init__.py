"""The queue of cases: its view, pages, keyboard shortcuts, and who takes which case."""
