"""Image classification: which kind of document a picture shows."""
