"""Benches: figures about speed and size, printed with the machine they were taken on."""
