"""What two statements say of the same money: matches, breaks, suspense, and what explains them."""
