"""Actions on many recordings of a voice at once, and their undo."""
