"""Who works at the desk, who is signed in, and which policy is in force."""
