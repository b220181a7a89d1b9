"""Who is outside: the payment provider, the evidence store, mail. Each behind a port that says what we need."""
