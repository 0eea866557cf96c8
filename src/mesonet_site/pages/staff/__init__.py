"""What staff do: uploading models, and looking after the queue."""
