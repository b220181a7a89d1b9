"""The platform's own bank: its accounts, how its CSV is read, and its statements, all or nothing of a file."""
