"""A peer's environment and its processes: real ones."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tandem.evaluation.errors import PeerError
from tandem.evaluation.peer_servers.environment import install, installed_python
from tandem.evaluation.peer_servers.kinds import ARRANGEMENTS, BEST, RAPIDOCR, Peer
from tandem.evaluation.peer_servers.ours import OurServer
from tandem.evaluation.peer_servers.process import PeerServer
from tandem.evaluation.peer_servers.steps import Steps
from tandem.evaluation.peer_servers.turns import check_answers, measure_turn
from tandem.evaluation.processor_use import use_of_group
from tandem.runtime.setup import CHECKOUT, REPOSITORY
from tests.conftest import StartTriton

SAMPLE = CHECKOUT / "docs" / "images" / "sample.jpg"


def groups() -> set[int]:
    """The process groups there are."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.add(os.getpgid(int(folder.name)))
        except ProcessLookupError:
            continue
    return found


def test_without_a_package_index_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(PeerError, match=r"mosec isn't installed in .*: run scripts/bench --peers once"):
        install("mosec", tmp_path)
    assert installed_python("mosec", tmp_path) is None


def test_a_server_that_ends_at_once_tells_why() -> None:
    peer = Peer(name="nobody", module="tandem.evaluation.peer_servers.nobody")
    with pytest.raises(PeerError, match=r"nobody doesn't start: .*No module named"), PeerServer(peer):
        pass


def test_the_best_arrangement_of_each_peer_is_one_that_was_tried() -> None:
    assert [peer in arrangements for peer, arrangements in zip(BEST, ARRANGEMENTS.values(), strict=True)]
    names = [peer.name for arrangements in ARRANGEMENTS.values() for peer in arrangements]
    assert len(set(names)) == len(names)
    assert all(p.arrangement.batch <= 2 for arrangements in ARRANGEMENTS.values() for p in arrangements)


def test_the_steps_answer_as_the_ensemble_does_alone_and_in_pairs(start_triton: StartTriton) -> None:
    steps, picture = Steps(REPOSITORY), SAMPLE.read_bytes()
    server = start_triton(REPOSITORY, services=("id_card",))
    ours = OurServer(server)
    answer = ours.read(picture)
    assert OurServer(server, "HTTP").read(picture) == answer
    assert '"公民身份号码"'.encode() in answer
    assert steps.answer([picture]) == [answer]
    assert steps.answer([picture, picture]) == [answer, answer]
    assert ours.processor_s() > 0


def test_the_bare_server_is_measured_sleeps_and_ends() -> None:
    picture = SAMPLE.read_bytes()
    with PeerServer(BEST[0]) as server:
        group = server.group
        found = measure_turn(server, 2, [picture], 1.0)
        assert found.processor_ms > 10
        with server.asleep():
            before = server.processor_s()
            time.sleep(0.3)
            assert server.processor_s() == before
        assert server.read(picture)
        assert group in groups()
    assert group not in groups()
    assert use_of_group(group).processor_s == 0


@pytest.mark.slow
@pytest.mark.parametrize("peer", [*BEST, ARRANGEMENTS["mosec"][-1]], ids=lambda peer: peer.name)
def test_a_peer_answers_as_we_do_and_leaves_nothing(peer: Peer, start_triton: StartTriton) -> None:
    """Installs what the peer needs: the package index must be reachable the first time."""
    ours = OurServer(start_triton(REPOSITORY, services=("id_card",)))
    with PeerServer(peer) as server:
        group = server.group
        check_answers(ours, [server], [SAMPLE.read_bytes()])
        found = measure_turn(server, 4, [SAMPLE.read_bytes()], 3.0)
        assert found.cards_per_s > 0.1
        assert found.processor_ms > 10
        with server.asleep():
            pass
        assert server.read(SAMPLE.read_bytes())
    assert group not in groups()


@pytest.mark.slow
def test_rapidocr_reads_lines() -> None:
    pytest.importorskip("rapidocr")
    with PeerServer(RAPIDOCR) as server:
        assert "公民身份号码" in server.read(SAMPLE.read_bytes()).decode()
