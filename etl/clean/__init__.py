"""Checking: from a table as it is to records of a layer."""
