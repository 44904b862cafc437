"""The version, of client and server alike: what the file `VERSION` says."""

from __future__ import annotations

from importlib.resources import files

__version__ = files("tandem_triton").joinpath("VERSION").read_text("utf-8").strip()
