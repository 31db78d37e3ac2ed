"""How data comes in: files of every kind, and the demo city."""
