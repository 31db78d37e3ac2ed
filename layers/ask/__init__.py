"""Every way to ask: tiles, items, search, places."""
