"""Transfer learning: features of a frozen backbone, kept once, and small heads trained on them."""
