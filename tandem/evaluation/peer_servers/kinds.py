"""Which peers there are, and how each may be arranged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tandem.evaluation.peer_servers.arrangement import Arrangement


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A server to measure beside ours.

    Attributes:
        name: in the table.
        module: what its process runs.
        path: where its pictures are posted.
        installs: name of its environment; None: it runs in ours.
        arrangement: how its work is shared out.
        same_answers: whether it has our steps, so that its answers must be ours.
    """

    name: str
    module: str
    path: str = "/"
    installs: str | None = None
    arrangement: Arrangement = field(default_factory=Arrangement)
    same_answers: bool = True

    def arranged(self, what: str, arrangement: Arrangement) -> Peer:
        """The same server, arranged otherwise."""
        return replace(self, name=f"{self.name}, {what}", arrangement=arrangement)


_BARE = Peer(name="one process", module=f"{__package__}.bare_server")
_MOSEC = Peer(name="mosec 0.9.8", module=f"{__package__}.mosec_server", path="/inference", installs="mosec")
_LITSERVE = Peer(
    name="LitServe 0.2.19", module=f"{__package__}.litserve_server", path="/predict", installs="litserve"
)
RAPIDOCR = Peer(name="RapidOCR 3.10", module=f"{__package__}.rapidocr_server", same_answers=False)

_ONE = Arrangement(workers=1)
_TWO = Arrangement(workers=2)
_TWO_PATIENT = Arrangement(workers=2, wait_ms=20)
_TWO_LONE = Arrangement(workers=2, batch=1)
_STAGES = Arrangement(stages=True)
#: Every arrangement that was tried, by peer; first the one with the most cards a second under four and more
#: clients (docs/performance.md).
ARRANGEMENTS = {
    "bare": (
        _BARE.arranged("two threads, one each", _TWO_LONE),
        _BARE.arranged("two threads of pairs", _TWO),
        _BARE.arranged("pairs", _ONE),
    ),
    "mosec": (
        _MOSEC.arranged("two workers, one each", _TWO_LONE),
        _MOSEC.arranged("two workers of pairs", _TWO),
        _MOSEC.arranged("two workers of pairs, 20 ms", _TWO_PATIENT),
        _MOSEC.arranged("one worker of pairs", _ONE),
        _MOSEC.arranged("three stages", _STAGES),
    ),
    "litserve": (
        _LITSERVE.arranged("two workers, one each", _TWO_LONE),
        _LITSERVE.arranged("two workers of pairs", _TWO),
        _LITSERVE.arranged("two workers of pairs, 20 ms", _TWO_PATIENT),
        _LITSERVE.arranged("one worker of pairs", _ONE),
    ),
}
BEST = tuple(arrangements[0] for arrangements in ARRANGEMENTS.values())
