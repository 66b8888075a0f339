"""Audio without Django: a strict WAV reader, measurements, findings and a simple voice comparison."""
