"""Keywords of a passage: phrases that stand in it, chosen by how near their meaning is to the whole.

`candidates` finds phrases that could be keywords, `tokens` turns them and the passage into blocks for the
embedder, `choose` picks the best that differ, `keywords` is the whole way.
"""
