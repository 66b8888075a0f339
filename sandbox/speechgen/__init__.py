"""Speechgen: the calls of its page “Voice Cloning”, and speech with a cloned voice."""
