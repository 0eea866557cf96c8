"""What a recipe does, one after the other: a module for each kind of detector."""
