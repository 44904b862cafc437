"""Words that no keyword holds: those that carry grammar, and those that say nothing about a subject."""

from __future__ import annotations

import stopwordsiso

ENGLISH_STOPS = frozenset(stopwordsiso.stopwords("en"))
CHINESE_STOPS = frozenset(stopwordsiso.stopwords("zh"))
