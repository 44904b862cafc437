"""Predictions held beside a real server's measurements."""
