"""Encoded bytes, as callers send them, to arrays: formats and limits are decided here."""
