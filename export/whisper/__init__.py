"""Whisper in CTranslate2's format, as the model `speech_recognizer` serves it."""
