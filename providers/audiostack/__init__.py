"""AudioStack."""
