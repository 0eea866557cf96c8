"""How it works, and the API for programs."""
