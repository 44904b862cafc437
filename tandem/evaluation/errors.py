"""Errors of the evaluation.

EvaluationError
└── GroundsError   pictures or documents to photograph cards on that can't be had
"""

from __future__ import annotations


class EvaluationError(Exception):
    """Base of everything this package raises on purpose."""


class GroundsError(EvaluationError):
    """Pictures or documents to photograph cards on that can't be had."""
