"""The language model that the model `translator` serves.

`pinned` says what is downloaded, `convert` turns a GGUF file into CTranslate2's format with a tokenizer,
`set_up` chooses between the sizes and an operator's own folder, and puts it into the repository.
"""
