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
from tandem.training.fit.rectifying import rectified  # noqa: E402
from tandem.training.network.recognizer import Recognizer  # noqa: E402
from tandem.training.scene.text_rows import Lane, LanePrinter  # noqa: E402

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
    # 媛, 翀: rare, but names have them; 嫒: of GB 2312's rarer half, in no name; 锅: of its other half.
    prior = log_prior(["<blank>", "张", "翀", "〇", "X", "姸", "號", " ", "媛", "嫒", "锅"])
    assert prior[:5].tolist() == [0.0] * 5
    assert prior[[7, 8, 10]].tolist() == [0.0] * 3
    assert prior[6] < prior[5] < prior[9] < 0


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


ALPHABET = sorted({*"".join(drawn()), *map(chr, range(33, 127)), "·"})
CHARACTERS = ["<blank>", *ALPHABET, " "]


@pytest.fixture
def lanes() -> list[Lane]:
    printer, rng = LanePrinter("train", HANZI, 1), np.random.default_rng(1)
    return [lane for lane in (printer.draw(rng) for _ in range(12)) if set(lane.text) <= set(ALPHABET)][:2]


def test_the_whole_network_is_trained_and_a_run_can_be_resumed(lanes: list[Lane], tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Recognizer(len(CHARACTERS)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trainer = RecognizerTrainer(network, CHARACTERS, RecognizerPlan(steps=4, batch=2), tmp_path)
    losses = [trainer.train_step(lanes)["total"] for _ in range(4)]
    assert losses[-1] < losses[0]
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert {"stem.first.weight", "blocks.6.expand.weight", "head.weight"} <= moved
    trainer.save()
    resumed = RecognizerTrainer(Recognizer(len(CHARACTERS)).eval(), CHARACTERS, trainer.plan, tmp_path)
    resumed.load()
    assert resumed.step == 4
    assert resumed.read(lanes[0]) == trainer.read(lanes[0])


def test_a_teacher_is_resembled_and_stays_as_it_is(lanes: list[Lane], tmp_path: Path) -> None:
    torch.manual_seed(0)
    teacher = Recognizer(len(CHARACTERS), published=True).eval().requires_grad_(requires_grad=False)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    network = Recognizer(len(CHARACTERS)).eval()
    plan = RecognizerPlan(steps=30, batch=2, rate=2e-3)
    trainer = RecognizerTrainer(network, CHARACTERS, plan, tmp_path, teacher)
    unlike = [trainer.train_step(lanes)["unlike"] for _ in range(30)]
    assert unlike[-1] < 0.8 * unlike[0]
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_rectified_it_sees_what_it_saw_with_gelu() -> None:
    torch.manual_seed(0)
    published = Recognizer(5, published=True).eval()
    with torch.no_grad():
        for name, value in published.named_parameters():
            if name.endswith("expand.weight"):  # as far from zero as trained ones: where Gelu and ReLU differ
                value.mul_(3)
    pixels = torch.rand(9, 3, 48, 64) * 2 - 1
    changed = rectified(published, pixels)
    plain = Recognizer(5).eval()
    plain.load_state_dict(published.state_dict())
    with torch.no_grad():
        shown, seen, untrained = (network.body(pixels) for network in (published, changed, plain))
    assert (seen - shown).square().mean() < 0.5 * (untrained - shown).square().mean()
    assert torch.equal(changed.head.weight, published.head.weight)
    last = "blocks.12.expand.weight"
    assert torch.equal(changed.state_dict()[last], published.state_dict()[last])


def test_a_plan_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RecognizerPlan(steps=0)
