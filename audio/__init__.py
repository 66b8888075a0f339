"""Audio library without Django: reads, measures, checks and prepares audio."""
