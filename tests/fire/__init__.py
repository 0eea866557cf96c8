"""A campaign of bad input against the doors of the project; see ``docs/reliability.md``."""
