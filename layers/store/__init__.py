"""Connections, the private cluster, tables, the change log, and the only module that commits."""
