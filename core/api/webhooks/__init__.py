"""Events that go to the marketplaces, and the endpoints that they go to."""
