"""What payees owe the platform: receivables, instalments, reminders, write-offs."""
