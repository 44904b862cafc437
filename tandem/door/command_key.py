"""`tandem key new|list|revoke`: the door's API keys."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
from tandem_triton.cli.exits import EXIT_FAILED

from tandem.door.keys import KeyFile, new_key, read_keys, write_keys

SUMMARY = "Make, list and revoke the door's API keys."
_DEFAULT_FILE = Path("keys.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See `tandem_triton.cli.main.Command`."""
    parser.add_argument("--file", type=Path, default=_DEFAULT_FILE, help="of the keys (default %(default)s)")
    actions = parser.add_subparsers(dest="action", required=True)
    new = actions.add_parser("new", help="make a key; it is shown once, only its hash is kept")
    new.add_argument("name", help="of the caller: letters, digits, _ . -")
    new.add_argument("--rate", type=float, metavar="R", help="requests a second (default: any)")
    new.add_argument("--in-flight", type=int, metavar="N", help="requests at the same time (default: any)")
    actions.add_parser("list", help="names and limits")
    actions.add_parser("revoke", help="refuse a caller's keys from now on").add_argument("name")


def run(arguments: argparse.Namespace) -> int:
    """See `tandem_triton.cli.main.Command`."""
    path: Path = arguments.file
    try:
        if arguments.action == "new":
            return _new(path, arguments)
        if arguments.action == "revoke":
            return _revoke(path, arguments.name)
        for key in read_keys(path).keys:
            rate = "any rate" if key.rate_per_s is None else f"{key.rate_per_s:g}/s"
            most = "any in flight" if key.in_flight is None else f"{key.in_flight} in flight"
            print(f"{key.name}\t{key.created}\t{rate}\t{most}\t{'revoked' if key.revoked else 'valid'}")
    except (ValueError, OSError) as error:
        print(f"tandem key: {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _new(path: Path, arguments: argparse.Namespace) -> int:
    held = read_keys(path) if path.exists() else KeyFile()
    if any(key.name == arguments.name and not key.revoked for key in held.keys):
        raise ValueError(f"{arguments.name} has a key: revoke it first, or take another name")
    secret, key = new_key(arguments.name, rate_per_s=arguments.rate, in_flight=arguments.in_flight)
    write_keys(path, KeyFile(keys=(*held.keys, key)))
    print(f"kept as a hash in {path}; shown only now:", file=sys.stderr)
    print(secret)
    return 0


def _revoke(path: Path, name: str) -> int:
    held = read_keys(path)
    if all(key.name != name or key.revoked for key in held.keys):
        raise ValueError(f"no valid key is called {name}")
    keys = tuple(msgspec.structs.replace(key, revoked=True) if key.name == name else key for key in held.keys)
    write_keys(path, KeyFile(keys=keys))
    return 0
