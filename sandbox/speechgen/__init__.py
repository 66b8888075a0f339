"""Speechgen: the calls of its page “Voice Cloning”, and speech with the voice that came of it."""
