"""What was asked of the provider, how it ended, and money that belongs to no milestone."""
