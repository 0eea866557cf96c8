"""The samples and the page of `make demo`."""
