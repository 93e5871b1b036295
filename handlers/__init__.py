"""THE CORE: what is said and done. Plain synchronous Python, no I/O of its own."""
