"""Everything that exporting can refuse.

ExportError                     base: a model cannot be exported as asked
├── ParityError                 the exported model does not compute what the original computes
├── MissingToolError            TensorRT, or the GPU it needs, is not there
├── BuildError                  TensorRT was there and could not build the engine
└── WeightsError                base: the weights that a package carries can't be had
    ├── WeightsUnavailableError the index has no such package, or can't be reached
    ├── WrongHashError          the bytes that came are not the ones that are pinned
    ├── NoSpaceError            the disk can't hold them
    └── UnfitFolderError        the operator's own folder lacks a file that such a model has
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


class WeightsError(ExportError):
    """The weights that a package carries can't be had; the message says what to do."""


class WeightsUnavailableError(WeightsError):
    """The package index has no such package, can't be reached, or broke off."""


class WrongHashError(WeightsError):
    """The bytes that came are not the ones that are pinned; nothing has read them."""


class NoSpaceError(WeightsError):
    """The disk can't hold the download or what is made of it."""


class UnfitFolderError(WeightsError):
    """A folder that was given with --from lacks a file that such a model has."""
