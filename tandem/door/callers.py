"""Who asks, and how much: keys, rates, numbers in flight, bytes being read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tandem.door.errors import NoKeyError, TooManyError
from tandem.door.keys import ApiKey, KeyRing

ANYBODY = "anybody"
"""The name of callers where no keys are needed."""
KEY_HEADER = "x-api-key"
_BURST_S = 2.0  # a key's unused rate of so many seconds may come at once
_BEARER = "bearer "


def secret_of(headers: Mapping[str, str]) -> str | None:
    """The key in a request's headers (`Authorization: Bearer KEY` or `X-API-Key: KEY`), or None.

    Args:
        headers: by lower-case name.
    """
    authorization = headers.get("authorization", "")
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip() or None
    return headers.get(KEY_HEADER) or None


class Allowance:
    """What one caller may still ask for: a bucket of requests that fills with time, and a number in flight.

    Args:
        key: with its limits.
        share: of the limits that this process has, (0, 1].
        clock: seconds that never go back.
    """

    def __init__(self, key: ApiKey, share: float, clock: Callable[[], float]) -> None:
        self._name = key.name
        self._rate_per_s = None if key.rate_per_s is None else key.rate_per_s * share
        self._size = 1.0 if self._rate_per_s is None else max(1.0, self._rate_per_s * _BURST_S)
        self._left = self._size
        self._clock = clock
        self._seen_s = clock()
        self._most = None if key.in_flight is None else max(1, round(key.in_flight * share))
        self._in_flight = 0

    def take(self) -> None:
        """Begin a request; `give_back` ends it.

        Raises:
            TooManyError: over a limit; nothing was taken.
        """
        if self._most is not None and self._in_flight >= self._most:
            raise TooManyError(
                f"{self._name} has {self._in_flight} requests in flight; {self._most} are allowed"
            )
        if self._rate_per_s is not None:
            now_s = self._clock()
            self._left = min(self._size, self._left + (now_s - self._seen_s) * self._rate_per_s)
            self._seen_s = now_s
            if self._left < 1.0:
                wait_s = (1.0 - self._left) / self._rate_per_s
                raise TooManyError(
                    f"{self._name} may send {self._rate_per_s:g} requests a second", retry_after_s=wait_s
                )
            self._left -= 1.0
        self._in_flight += 1

    def give_back(self) -> None:
        """End a request."""
        self._in_flight -= 1


class Callers:
    """Lets callers in by their keys, within their limits.

    Args:
        ring: the keys; None: everybody may ask.
        share: of each limit that this process has.
        clock: seconds that never go back.
    """

    def __init__(
        self, ring: KeyRing | None, *, share: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ring = ring
        self._share = share
        self._clock = clock
        self._allowances: dict[ApiKey, Allowance] = {}

    @property
    def need_keys(self) -> bool:
        """Whether a caller must have one."""
        return self._ring is not None

    def key_of(self, headers: Mapping[str, str]) -> ApiKey | None:
        """The caller's key; None where everybody may ask.

        Raises:
            NoKeyError: a key is needed, and there is none or a wrong one.
        """
        if self._ring is None:
            return None
        secret = secret_of(headers)
        if secret is None:
            raise NoKeyError("send a key: Authorization: Bearer KEY, or X-API-Key: KEY")
        key = self._ring.find(secret)
        if key is None:
            raise NoKeyError("this key isn't known, or was revoked")
        return key

    @contextmanager
    def admit(self, key: ApiKey | None) -> Iterator[None]:
        """A request's stay.

        Raises:
            TooManyError: over the key's rate or number in flight.
        """
        if key is None:
            yield
            return
        allowance = self._allowances.get(key)
        if allowance is None:
            self._forget_old(key)
            allowance = self._allowances[key] = Allowance(key, self._share, self._clock)
        allowance.take()
        try:
            yield
        finally:
            allowance.give_back()

    def _forget_old(self, key: ApiKey) -> None:
        """Drop what was counted for an earlier state of the same key."""
        for old in [each for each in self._allowances if each.sha256 == key.sha256]:
            del self._allowances[old]


class ReadingBudget:
    """Bytes of requests that are held at the same time, of all callers together.

    Args:
        most: bytes, ≥ 1.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def take(self, count: int) -> None:
        """Hold so many more.

        Raises:
            TooManyError: there is no room; nothing was taken.
        """
        if self.held + count > self._most:
            raise TooManyError("too many requests are being read at the moment")
        self.held += count

    def give_back(self, count: int) -> None:
        """Hold so many less."""
        self.held -= count
