"""A live day of a city, played against its database by the loop's own steps."""
