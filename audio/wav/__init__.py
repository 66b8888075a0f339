"""Read, decode, convert and write WAV files."""
