"""How fast, beside what others reach on the same machine: `make bench`."""
