"""What the recogniser is taught: lanes, characters, and a trainer that learns and can be resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'training')")

from tandem.services.id_card.geometry.lanes import LaneConfig  # noqa: E402
from tandem.services.id_card.text.characters import is_hanzi  # noqa: E402
from tandem.training.draw.hanzi import drawn, gb2312, log_prior, simplified, untaught  # noqa: E402
from tandem.training.fit.recognizer import (  # noqa: E402
    RecognizerPlan,
    RecognizerTrainer,
    taught_hanzi,
    widened,
)
from tandem.training.network.recognizer import Recognizer  # noqa: E402
from tandem.training.scene.text_rows import LanePrinter  # noqa: E402

HANZI = "张王李赵一二三四"


def test_the_hanzi_hold_the_standard_and_no_components() -> None:
    assert len(gb2312()) > 6_700
    assert set(gb2312()) <= set(simplified())
    assert drawn() <= set(simplified())
    assert {"〇", "翀", "垅"} <= set(simplified())
    assert not {"讠", "氵", "號", "漢"} & set(gb2312())


def test_untaught_are_those_without_a_class() -> None:
    known = [character for character in simplified() if character not in "张垅"]
    assert untaught(known) == sorted("张垅")


def test_known_characters_keep_their_share() -> None:
    characters = ["<blank>", *simplified(), "號", "鑄", "A"]
    hanzi = taught_hanzi(characters, 0.08)
    others = [character for character in hanzi if character in "號鑄"]
    assert 0 < len(others) / len(hanzi) <= 0.08
    assert all(is_hanzi(character) for character in hanzi)


def test_what_cards_hardly_print_starts_out_unlikely() -> None:
    prior = log_prior(["<blank>", "张", "翀", "〇", "X", "姸", "號", " "])
    assert prior[:5].tolist() == [0.0] * 5
    assert prior[7] == 0.0
    assert prior[6] < prior[5] < 0


def test_lanes_have_the_served_shape_and_say_what_is_drawn() -> None:
    printer = LanePrinter("train", HANZI, 1)
    rng = np.random.default_rng(5)
    lanes = [printer.draw(rng) for _ in range(30)]
    assert {lane.pixels.shape for lane in lanes} == {(48, LaneConfig().width, 3)}
    assert all(lane.text and not any(character.isspace() for character in lane.text) for lane in lanes)
    assert len({lane.text for lane in lanes}) > 20
    again = LanePrinter("train", HANZI, 1).draw(np.random.default_rng(5))
    assert again.text == lanes[0].text
    assert np.array_equal(again.pixels, lanes[0].pixels)


def test_a_wider_network_reads_what_it_read() -> None:
    torch.manual_seed(0)
    network = Recognizer(4).eval()
    wider, characters = widened(network, ["<blank>", "a", "b", "c"], ["〇"])
    pixels = torch.rand(1, 3, 48, 64)
    assert characters == ["<blank>", "a", "b", "c", "〇"]
    with torch.no_grad():
        assert torch.equal(wider(pixels)[..., :4], network(pixels))


def test_only_what_lies_behind_the_body_is_trained_and_a_run_can_be_resumed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    alphabet = sorted({*"".join(drawn()), *map(chr, range(33, 127)), "·"})
    characters = ["<blank>", *alphabet, " "]
    network = Recognizer(len(characters)).eval()
    body = {name: value.clone() for name, value in network.blocks.state_dict().items()}
    trainer = RecognizerTrainer(network, characters, RecognizerPlan(steps=4, batch=2), tmp_path)
    printer, rng = LanePrinter("train", HANZI, 1), np.random.default_rng(1)
    lanes = [lane for lane in (printer.draw(rng) for _ in range(12)) if set(lane.text) <= set(alphabet)][:2]
    losses = [trainer.train_step(lanes)["total"] for _ in range(4)]
    assert losses[-1] < losses[0]
    assert all(torch.equal(value, body[name]) for name, value in network.blocks.state_dict().items())
    trainer.save()
    resumed = RecognizerTrainer(Recognizer(len(characters)).eval(), characters, trainer.plan, tmp_path)
    resumed.load()
    assert resumed.step == 4
    assert resumed.read(lanes[0]) == trainer.read(lanes[0])


def test_a_plan_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RecognizerPlan(steps=0)
