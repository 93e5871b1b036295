"""THE RIM: channels and programs. The only async code, the only sockets."""
