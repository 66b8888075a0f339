"""Opens documents that people upload."""
