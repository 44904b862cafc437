"""Errors of the training package.

TrainingError
├── FontsMissingError   fonts that the drawn cards need are not installed
├── StyleError          a style or an option for drawing that makes no sense
└── WeightsError        a weights file that is missing or none
"""

from __future__ import annotations


class TrainingError(Exception):
    """Base of everything this package raises on purpose."""


class FontsMissingError(TrainingError):
    """Fonts that the drawn cards need are not installed."""


class StyleError(TrainingError, ValueError):
    """A style or an option for drawing that makes no sense."""


class WeightsError(TrainingError):
    """A weights file that is missing, or no weights file."""
