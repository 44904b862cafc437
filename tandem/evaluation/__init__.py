"""How well the server reads, and how fast: photographs whose truth is known, beside a peer."""
