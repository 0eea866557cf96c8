"""Pictures: found, read safely, and changed for training or measuring."""
