"""The decision on screen: made, previewed, approved, executed, withdrawn and corrected."""
