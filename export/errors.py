"""Everything that exporting can refuse.

ExportError                 base: a model cannot be exported as asked
└── ParityError             the exported model does not compute what the original computes
"""

from __future__ import annotations


class ExportError(Exception):
    """A model cannot be exported as asked."""


class ParityError(ExportError):
    """The exported model does not compute what the original computes."""
