"""Object detection: every document in a picture, its outline and its kind."""
