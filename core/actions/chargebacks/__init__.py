"""What the payer's bank takes: followed, answered, accepted, and who bears it."""
