"""The HTTP contract that a platform serves at its plugin URL, so that our scheduler can call it."""
