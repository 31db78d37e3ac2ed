"""Answers written down as files that other programs read."""
