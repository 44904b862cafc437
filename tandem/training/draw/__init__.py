"""Identity cards, other documents and people, drawn: what training and evaluation show the networks."""
