"""The finance pages, part by part: figures that lead somewhere, the books, payouts, runs, calls."""
