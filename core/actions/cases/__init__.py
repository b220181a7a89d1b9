"""Working a case: opened, assigned, talked about, with evidence and settlement proposals."""
