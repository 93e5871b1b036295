"""The history of the schema; `HEAD` is its newest step (a test holds it against the files)."""

HEAD = "0007"
