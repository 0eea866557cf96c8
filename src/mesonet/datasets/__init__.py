"""Data folders: classes, groups, batches and divisions."""
