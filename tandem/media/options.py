"""A service's OPTIONS, as JSON, to checked values: unknown keys and wrong types are refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tandem.errors import InputError

MAX_BYTES = 4096
#: Gives the value if it is allowed, else raises `InputError`.
Check = Callable[[str, Any], Any]


def read_options(data: bytes | None, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The options that were given, checked.

    Args:
        data: UTF-8 JSON, an object; None or no bytes: no options.
        checks: every option that the service knows, with what checks its value. A value of null counts as
            not given.

    Raises:
        InputError: not a JSON object, too long, an unknown option, or a value that is not allowed.
    """
    if not data:
        return {}
    if len(data) > MAX_BYTES:
        raise InputError(f"OPTIONS has {len(data)} bytes; at most {MAX_BYTES} are allowed")
    try:
        given = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError("OPTIONS is not JSON; an object such as {} is allowed") from error
    if not isinstance(given, dict):
        raise InputError("OPTIONS is JSON, but not an object such as {}")
    unknown = sorted(given.keys() - checks.keys())
    if unknown:
        allowed = ", ".join(sorted(checks)) or "none"
        raise InputError(f"OPTIONS has unknown keys ({len(unknown)}); allowed: {allowed}")
    return {key: checks[key](key, value) for key, value in given.items() if value is not None}


def one_of(*allowed: str) -> Check:
    """The check of an option that is one of a few words."""

    def check(key: str, value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise InputError(f'OPTIONS: "{key}" must be one of {", ".join(allowed)}')
        return value

    return check


def whole_number(least: int, most: int) -> Check:
    """The check of an option that is a whole number from `least` to `most`."""

    def check(key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InputError(f'OPTIONS: "{key}" must be a whole number from {least} to {most}')
        return value

    return check
