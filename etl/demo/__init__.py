"""The synthetic demo city on the real outlines of Nantong."""
