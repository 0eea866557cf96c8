"""The web pages: a feature is a folder with its views, addresses, templates and tests."""
