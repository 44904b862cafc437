"""Speech translated: `speech_to_text`, then `text_translation`, as one request; both are other models."""
