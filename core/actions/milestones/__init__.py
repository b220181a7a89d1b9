"""From an accepted bid to the end of a milestone: projects, parties, verification, ratings, receipts."""
