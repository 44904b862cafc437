"""Chinese ↔ English, sentence by sentence: split, translate two by two, check, join with the layout kept.

`languages` decides the direction, `sentences` splits and joins, `prompts` and `language_model` translate one
piece, `checks` finds what went wrong in a translation, `translate` is the whole way.
"""
