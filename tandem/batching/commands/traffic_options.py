"""The traffic that --rate, --burst and --arrivals describe."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tandem.batching.commands.subjects import numbers, read_file
from tandem.batching.errors import InvalidInputError
from tandem.batching.simulate.traffic import BurstShape, OnOff, Poisson, Recorded, Traffic


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Traffic at any rate.

    Attributes:
        rate_per_s: the usual rate.
        at_rate: the traffic at a rate, items a second.
        poisson: False for bursts and recordings.
        words: what it is, for people.
    """

    rate_per_s: float
    at_rate: Callable[[float], Traffic]
    poisson: bool
    words: str


def asked_traffic(arguments: argparse.Namespace) -> Asked:
    """The traffic in the options.

    Raises:
        InvalidInputError: there is no rate, options contradict, or a file or number is wrong.
    """
    if arguments.burst and arguments.arrivals:
        raise InvalidInputError("a recording has its own bursts; give either --burst or --arrivals")
    if arguments.arrivals:
        recorded = read_arrivals(arguments)
        rate = recorded.rate_per_s if arguments.rate is None else arguments.rate
        words = f"{len(recorded.seconds)} recorded arrivals"
        return Asked(rate_per_s=rate, at_rate=recorded.at_rate, poisson=False, words=words)
    if arguments.rate is None:
        raise InvalidInputError("--rate says how many items come a second; give it, or --arrivals FILE")
    if not arguments.burst:
        return Asked(rate_per_s=arguments.rate, at_rate=Poisson, poisson=True, words="independent arrivals")
    shape = parse_burst(arguments.burst)
    return Asked(
        rate_per_s=arguments.rate,
        at_rate=lambda rate: OnOff(rate_per_s=rate, shape=shape),
        poisson=False,
        words=f"{shape.factor:g} times the rate in bursts of {shape.seconds:g} s, {shape.share:.0%} of it",
    )


def parse_burst(text: str) -> BurstShape:
    """The shape in `FACTOR,SECONDS,SHARE`.

    Raises:
        InvalidInputError: these are not three numbers, or outside their ranges.
    """
    values = numbers(text, "--burst")
    if len(values) != 3:
        raise InvalidInputError(f"--burst {text!r}: FACTOR,SECONDS,SHARE is wanted, for example 3,2,0.1")
    return BurstShape(factor=values[0], seconds=values[1], share=values[2])


def read_arrivals(arguments: argparse.Namespace) -> Recorded:
    """The recording in a file: a number a line, seconds; lines that are empty or begin with # do not count.

    Raises:
        InvalidInputError: it can't be read, a line is no number, or the times are not in order.
    """
    path = arguments.arrivals
    text = read_file(path, "--arrivals").decode("utf-8", "replace")
    times = []
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        try:
            times.append(float(word))
        except ValueError:
            raise InvalidInputError(
                f"--arrivals {path}, line {number}: a time in seconds is wanted, not {word[:40]!r}"
            ) from None
    try:
        return Recorded(np.array(times, np.float64))
    except InvalidInputError as error:
        raise InvalidInputError(f"--arrivals {path}: {error}") from error
