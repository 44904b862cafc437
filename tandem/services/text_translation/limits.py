"""How long a translation may get."""

from __future__ import annotations

#: Never fewer tokens than the first, then so many a token of the sentence. English has 1.0 to 1.6 tokens a
#: token of Chinese, and the other way it is 0.7 to 1.4.
_LEAST_TOKENS, _TOKENS_PER_TOKEN = 24, 2.5


def token_limit(tokens: int) -> int:
    """The most tokens that a translation of so many may have."""
    return int(_LEAST_TOKENS + _TOKENS_PER_TOKEN * tokens)
