"""National code books, administrative codes, and identifiers parsed and checked."""
