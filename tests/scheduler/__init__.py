"""The clock: periods, what may be shown, bulletins in words and pictures, once and only once."""
