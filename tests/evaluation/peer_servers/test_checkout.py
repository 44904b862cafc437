"""Another checkout's server: here this one's own, started by its script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.checkout import CheckoutServer
from tandem.evaluation.peer_servers.ours import OurServer
from tandem.evaluation.peer_servers.turns import measure_turn
from tandem.runtime.setup import CHECKOUT, REPOSITORY
from tests.conftest import StartTriton
from tests.evaluation.peer_servers.test_peer_server import SAMPLE, groups


def test_a_checkout_answers_and_is_measured_with_all_its_processes(start_triton: StartTriton) -> None:
    picture = SAMPLE.read_bytes()
    ours = OurServer(start_triton(REPOSITORY, services=("id_card",)))
    before = groups()
    with CheckoutServer(CHECKOUT) as server:
        assert server.read(picture) == ours.read(picture)
        turn = measure_turn(server, 2, [picture], 2.0)
    assert turn.cards_per_s > 0
    assert turn.processor_ms > 20  # of the models' processes, which are its children's children
    assert groups() <= before


def test_what_is_no_checkout_is_named(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="is no checkout of this project"):
        CheckoutServer(tmp_path)


def test_a_checkout_that_does_not_start_says_why(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "serve"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho no network in $PWD\nexit 3\n")
    script.chmod(0o755)
    server = CheckoutServer(tmp_path)
    with pytest.raises(PeerError, match=rf"doesn't start: no network in {tmp_path}$"), server:
        pass
    with pytest.raises(PeerError, match="isn't running"):
        CheckoutServer(tmp_path).processor_s()
