"""Where a card, its edges and its rows of text are in the picture."""
