"""How the released weights were made."""
