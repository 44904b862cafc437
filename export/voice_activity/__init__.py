"""Silero VAD, which finds where somebody speaks, as the model `voice_activity` serves it."""
