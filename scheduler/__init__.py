"""THE CLOCK: what happens without being asked: digests, deliveries, retention."""
