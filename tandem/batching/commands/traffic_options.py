"""The traffic that --rate, --burst and --arrivals describe."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tandem.batching.commands.subjects import numbers, read_file
from tandem.batching.errors import BatchingError, InvalidInputError
from tandem.batching.outcome import check_rate
from tandem.batching.simulate.climb import Profile, ramp
from tandem.batching.simulate.traffic import BurstShape, OnOff, Poisson, Recorded, Traffic


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Traffic at any rate.

    Attributes:
        rate_per_s: the usual rate.
        at_rate: the traffic at a rate, items a second.
        poisson: False for bursts and recordings.
        words: what it is, for people.
        profile: how the rate changes; None where it does not.
    """

    rate_per_s: float
    at_rate: Callable[[float], Traffic]
    poisson: bool
    words: str
    profile: Profile | None = None


def asked_traffic(arguments: argparse.Namespace) -> Asked:
    """The traffic in the options.

    Raises:
        InvalidInputError: there is no rate, options contradict, or a file or number is wrong.
    """
    if arguments.burst and arguments.arrivals:
        raise InvalidInputError("a recording has its own bursts; give either --burst or --arrivals")
    if arguments.ramp or arguments.rates:
        return _climbing(arguments)
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


def _climbing(arguments: argparse.Namespace) -> Asked:
    """The traffic of --ramp or --rates.

    Raises:
        InvalidInputError: both are given, or one with bursts or a recording; or a number is wrong.
    """
    if arguments.burst or arguments.arrivals or (arguments.ramp and arguments.rates):
        raise InvalidInputError("give one of --burst, --arrivals, --ramp and --rates")
    if arguments.rates:
        profile = read_rates(arguments.rates)
        rate = profile.rate_per_s[0] if arguments.rate is None else arguments.rate
        words = f"rates over {profile.at_s[-1] - profile.at_s[0]:g} s"
        return Asked(rate_per_s=rate, at_rate=Poisson, poisson=True, words=words, profile=profile)
    if arguments.rate is None:
        raise InvalidInputError("--rate says at how many items a second the ramp begins; give it")
    values = numbers(arguments.ramp, "--ramp")
    if len(values) != 2:
        raise InvalidInputError(f"--ramp {arguments.ramp!r}: FACTOR,SECONDS is wanted, for example 4,300")
    profile = ramp(check_rate(arguments.rate), *values)
    words = f"climbing to {values[0]:g} times that within {values[1]:g} s"
    return Asked(rate_per_s=arguments.rate, at_rate=Poisson, poisson=True, words=words, profile=profile)


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
    times = [time for (time,) in _lines(path, "--arrivals", "a time in seconds is wanted", 1)]
    try:
        return Recorded(np.array(times, np.float64))
    except InvalidInputError as error:
        raise InvalidInputError(f"--arrivals {path}: {error}") from error


def read_rates(path: Path) -> Profile:
    """The rates in a file: a time in seconds and items a second a line, with a blank or a comma between.

    Raises:
        InvalidInputError: it can't be read, a line is no such pair, or the times are not in order.
    """
    pairs = _lines(path, "--rates", "a time in seconds and a rate are wanted", 2)
    try:
        return Profile(at_s=tuple(time for time, _ in pairs), rate_per_s=tuple(rate for _, rate in pairs))
    except BatchingError as error:
        raise InvalidInputError(f"--rates {path}: {error}") from error


def _lines(path: Path, option: str, wanted: str, count: int) -> list[tuple[float, ...]]:
    """`count` numbers of every line that is not empty and does not begin with #."""
    text = read_file(path, option).decode("utf-8", "replace")
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        try:
            values = tuple(map(float, words))
        except ValueError:
            values = ()
        if len(values) != count:
            raise InvalidInputError(f"{option} {path}, line {number}: {wanted}, not {line.strip()[:40]!r}")
        found.append(values)
    return found
