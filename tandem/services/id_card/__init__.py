"""The steps of card reading as pure functions over arrays: no Triton, no torch."""
