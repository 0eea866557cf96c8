"""Looking at what a model says of labelled images."""
