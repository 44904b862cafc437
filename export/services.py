"""What each service needs before it can be served, and how it is made: one entry a service.

    set_up(["id_card"], say)

Whoever adds a service adds an entry to `SERVICES`. A step is a function `(say) -> None` that does nothing, in
milliseconds, when its files are there; else it makes them whole or not at all, and says so in a line before
it takes longer than a moment. Steps import what they need when they run: this module is read for a help text
on a machine where nothing is installed yet.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from tandem.runtime.errors import EmbeddedServerError, SetupError, UnknownServiceError
from tandem.runtime.gpu import has_gpu

Say = Callable[[str], None]
Step = Callable[[Say], None]


@dataclass(frozen=True, kw_only=True)
class ServiceSetUp:
    """What one service needs.

    Attributes:
        steps: `module:function` of each step, in order; the function takes `say`.
        download: what is downloaded when the service is first set up, e.g. "145 MB"; empty: nothing beyond
            the packages that every server needs.
        packages: the group of packages that it needs beyond every server's (`need` in scripts/_env.sh).
    """

    steps: tuple[str, ...] = ()
    download: str = ""
    packages: str = ""


_SPEECH = (
    "export.whisper.set_up:make_speech_recognizer",
    "export.voice_activity.set_up:make_voice_activity",
)
_CARDS = ("export.networks_set_up:make_detector", "export.networks_set_up:make_classifier")
_LANGUAGE = "language"
_EMBEDDER = "export.text_embedder.set_up:make_embedder"
_TRANSLATOR = "export.translator.set_up:make_translator"

SERVICES: Mapping[str, ServiceSetUp] = {
    "id_card": ServiceSetUp(steps=(*_CARDS, "export.recognizer_set_up:make_recognizer")),
    "find_cards": ServiceSetUp(steps=_CARDS),
    "document_kind": ServiceSetUp(steps=_CARDS),
    "speech_to_text": ServiceSetUp(steps=_SPEECH, download="144 MB", packages=_LANGUAGE),
    "speech_translation": ServiceSetUp(steps=(*_SPEECH, _TRANSLATOR), download="622 MB", packages=_LANGUAGE),
    "text_keywords": ServiceSetUp(
        steps=("export.text_embedder.set_up:make_embedder",), download="91 MB", packages=_LANGUAGE
    ),
    "text_translation": ServiceSetUp(steps=(_TRANSLATOR,), download="478 MB", packages=_LANGUAGE),
}


#: Our configs for GPUs, and the groups of packages that each needs.
GPU_CONFIGS: Mapping[str, tuple[str, ...]] = {"gpu": ("gpu",), "tensorrt": ("gpu", "tensorrt")}


def default_services() -> tuple[str, ...]:
    """The services that need nothing more to download: what `scripts/serve` serves unless told otherwise."""
    return tuple(name for name, service in SERVICES.items() if not service.download)


def set_up(services: Iterable[str], say: Say, known: Mapping[str, ServiceSetUp] = SERVICES) -> None:
    """Make what is missing of these services; milliseconds when nothing is.

    Args:
        services: names.
        say: gets a line when something takes longer than a moment, and the size of what is downloaded.
        known: the services that there are.

    Raises:
        UnknownServiceError: there is no service of that name.
        SetupError: a step failed; the message says what to do.
    """
    chosen = list(dict.fromkeys(services))
    check_known(chosen, known)
    for name in chosen:
        for step in known[name].steps:
            _run(name, _load(step), say)


def check_known(services: Iterable[str], known: Collection[str]) -> None:
    """Return if there is a service of each name.

    Raises:
        UnknownServiceError: there isn't; the message lists those there are.
    """
    for name in services:
        if name not in known:
            raise UnknownServiceError(f"there is no service '{name}'; there are: {', '.join(sorted(known))}")


def _run(service: str, step: Step, say: Say) -> None:
    try:
        step(say)
    except EmbeddedServerError:
        raise
    except Exception as error:
        # Whatever it was, its first line says more to a user than a stack of files that make a network.
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SetupError(f"service '{service}' couldn't be set up: {first}") from error


def _load(step: str) -> Step:
    module, _, name = step.partition(":")
    loaded: Step = getattr(import_module(module), name)
    return loaded


def packages_of(arguments: Sequence[str], *, gpu: bool) -> list[str]:
    """The groups of packages that the services and the config of `scripts/serve` need, each once.

    Args:
        arguments: of its command line, which wins over the variables `TANDEM_SERVICES` and
            `TANDEM_CONFIG_NAME`.
        gpu: whether this machine has an NVIDIA GPU; without one nothing is installed for it.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--services", default=os.environ.get("TANDEM_SERVICES", ""))
    parser.add_argument("--config-name", default=os.environ.get("TANDEM_CONFIG_NAME", ""))
    chosen, _ = parser.parse_known_args(arguments)
    services = [SERVICES[name] for name in chosen.services.split(",") if name in SERVICES]
    groups = [service.packages for service in services if service.packages]
    # Last: each group that is installed after them would lay the build for CPUs over the one for GPUs.
    groups += GPU_CONFIGS.get(chosen.config_name, ()) if gpu else ()
    return list(dict.fromkeys(groups))


if __name__ == "__main__":
    print("\n".join(packages_of(sys.argv[1:], gpu=has_gpu())))  # noqa: T201 - read by scripts/serve
