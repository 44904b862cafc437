"""Everything that exporting can refuse.

ExportError                 base: a model cannot be exported as asked
├── ParityError             the exported model does not compute what the original computes
├── MissingToolError        TensorRT, or the GPU it needs, is not there
└── BuildError              TensorRT was there and could not build the engine
"""

from __future__ import annotations


class ExportError(Exception):
    """A model cannot be exported as asked."""


class ParityError(ExportError):
    """The exported model does not compute what the original computes."""


class MissingToolError(ExportError):
    """Something outside Python that exporting needs is not there; the message says how to get it."""


class BuildError(ExportError):
    """TensorRT refused the network; the message is its own."""
