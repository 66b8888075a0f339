"""Voice.ai at `/voiceai/api/v1/…`: the calls of its page “Clone a voice”, and speech with a cloned voice."""
