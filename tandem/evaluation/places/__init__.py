"""The evaluation's photographs: a card in the places where people lay it, seen by a camera of its own."""
