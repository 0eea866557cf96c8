"""What the stages of all recipes share."""
