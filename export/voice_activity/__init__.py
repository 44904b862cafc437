"""Silero VAD, which finds where somebody speaks, for the model `speech_to_text`."""
