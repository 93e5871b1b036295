"""The platforms people write from, one file each."""
