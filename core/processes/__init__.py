"""What runs by itself: it takes the desk, opens its own transactions and calls the network between them."""
