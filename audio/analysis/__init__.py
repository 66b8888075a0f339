"""What one recording, or a set of them, tells: spectrum, pitch, fingerprints, transcripts."""
