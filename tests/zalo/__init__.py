"""Zalo as it is met from outside: doubles of both its surfaces, and the stage played on them."""
