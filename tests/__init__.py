"""Conversations as transcripts, real databases, faults."""
