"""A module a service: its typed answer, and the `Service` value `SERVICE`.

A package of yours adds one by an entry point of the group `tandem.services`, whose value is a `Service`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from tandem_triton.core.errors import NotServedError
from tandem_triton.core.service import Service

GROUP = "tandem.services"


@cache
def find_services() -> Mapping[str, Service[Any]]:
    """Every service that this installation knows, by name: our own, then those of other packages."""
    own = [import_module(f"{__name__}.{module.name}").SERVICE for module in pkgutil.iter_modules(__path__)]
    others = [entry.load() for entry in entry_points(group=GROUP)]
    found: dict[str, Service[Any]] = {}
    for service in (*own, *others):
        if not isinstance(service, Service):
            raise TypeError(f"an entry point of the group {GROUP} is no Service but {type(service).__name__}")
        found.setdefault(service.name, service)
    return MappingProxyType(found)


def service_named(name: str) -> Service[Any]:
    """The service of that name.

    Raises:
        NotServedError: there is none; the message says which there are.
    """
    services = find_services()
    if name not in services:
        raise NotServedError(f"no service is called {name!r}; there are: {', '.join(services)}")
    return services[name]
