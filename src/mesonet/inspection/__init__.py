"""Looking into model files that nobody trusts."""
