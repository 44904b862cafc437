"""`python -m tandem.batching two`: what batches of two cost against the best size."""

from __future__ import annotations

import argparse

from tandem.batching.plan.regret_of_two import tables

SUMMARY = "Print what batches of two cost against the best size, over load and alpha / beta (half a minute)."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; gives the exit code."""
    del arguments
    print(tables())
    return 0
