"""Errors of the evaluation.

EvaluationError
├── GroundsError   pictures or documents to photograph cards on that can't be had
└── PeerError      a server to compare with is not there, does not start, or answers otherwise than ours
"""

from __future__ import annotations


class EvaluationError(Exception):
    """Base of everything this package raises on purpose."""


class GroundsError(EvaluationError):
    """Pictures or documents to photograph cards on that can't be had."""


class PeerError(EvaluationError):
    """A server to compare with is not there, does not start, or answers otherwise than ours."""
