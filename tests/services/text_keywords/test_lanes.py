from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tandem.services.text_keywords.lanes import LENGTH, MAX_TEXTS, pack

PAD = 1
texts_of_ids = st.lists(st.lists(st.integers(2, 99), min_size=1, max_size=150), max_size=60)


@given(texts_of_ids)
def test_every_text_is_on_a_lane_once_and_whole(texts: list[list[int]]) -> None:
    lanes = pack(texts, pad=PAD)
    assert sorted(place for lane in lanes for place in lane.places) == list(range(len(texts)))
    for lane in lanes:
        assert len(lane.places) <= MAX_TEXTS
        for number, place in enumerate(lane.places, start=1):
            mine = lane.segments == number
            assert lane.tokens[mine].tolist() == texts[place][:LENGTH]
            assert lane.positions[mine].tolist() == list(range(min(len(texts[place]), LENGTH)))
        filling = lane.segments == 0
        assert (lane.tokens[filling] == PAD).all()
        for tensor in lane.tensors().values():
            assert tensor.shape == (LENGTH,)
            assert tensor.dtype == np.int32


@given(texts_of_ids)
def test_lanes_are_filled_before_new_ones_begin(texts: list[list[int]]) -> None:
    lanes = pack(texts, pad=PAD)
    half_empty = [lane for lane in lanes if 2 * np.count_nonzero(lane.segments) < LENGTH]
    assert sum(len(lane.places) < MAX_TEXTS for lane in half_empty) <= 1
