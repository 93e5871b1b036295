"""What every double of a platform is made of: its wire, its faults, its thread."""
