"""Voice.ai."""
