"""Geometry and maths: frames, cells, tiles, repair. Pure functions that know neither the city nor a database."""
