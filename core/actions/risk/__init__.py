"""What stops money: holds, reports, and the reviews that a person settles."""
