"""The ready-made server: settings, URLs and the REST API around the classifiers app."""
