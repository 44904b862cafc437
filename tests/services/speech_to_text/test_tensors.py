from __future__ import annotations

import numpy as np
import pytest

from tandem.errors import InputError
from tandem.services.speech_to_text.listening import Listen
from tandem.services.speech_to_text.recognizer import MAX_SAMPLES, window_frames
from tandem.services.speech_to_text.tensors import pack_heard, pack_listen, unpack_heard, unpack_listen
from tests.services.speech_to_text.sounds import heard


def test_what_is_packed_comes_out_again() -> None:
    asked = unpack_listen(
        pack_listen(Listen(samples=np.ones(3, np.float32), language=None, task="transcribe"))
    )
    assert (asked.samples.tolist(), asked.language, asked.task) == ([1, 1, 1], None, "transcribe")
    original = heard([0, 1, 2], language="zh", no_speech=0.25, score=-0.5)
    arrays = dict(pack_heard(original))
    for name in ("TOKENS", "TIMES", "PROBABILITIES"):  # a longer window in the same request
        arrays[name] = np.concatenate([arrays[name], np.zeros(5, arrays[name].dtype)])
    again = unpack_heard(arrays)
    assert again.tokens.tolist() == [0, 1, 2]
    assert again.times_s.tolist() == original.times_s.tolist()
    assert (again.language, again.no_speech, again.score) == ("zh", 0.25, -0.5)


def test_what_fills_up_behind_the_samples_is_cut_off() -> None:
    arrays = dict(pack_listen(Listen(samples=np.ones(3, np.float32), language="zh", task="transcribe")))
    arrays["SAMPLES"] = np.concatenate([arrays["SAMPLES"], np.zeros(5, np.float32)])
    assert len(unpack_listen(arrays).samples) == 3
    assert len(unpack_listen({**arrays, "LENGTH": np.array([0], np.int32)}).samples) == 8
    for length in (-1, 9):
        with pytest.raises(InputError, match=r"0 \(all\) to 8"):
            unpack_listen({**arrays, "LENGTH": np.array([length], np.int32)})


def test_an_unknown_task_is_refused() -> None:
    arrays = {**pack_listen(Listen(samples=np.ones(3, np.float32), language="zh", task="sing"))}
    with pytest.raises(InputError, match="one of transcribe, translate"):
        unpack_listen(arrays)


@pytest.mark.parametrize(("seconds", "frames"), [(0.1, 1000), (9, 1000), (9.5, 1050), (20, 2100), (30, 3000)])
def test_the_window_is_a_second_longer_within_ten_and_thirty(seconds: float, frames: int) -> None:
    assert window_frames(round(seconds * 16_000)) == frames
    assert MAX_SAMPLES == 30 * 16_000
