from __future__ import annotations

import numpy as np
import pytest

from tandem.services.speech_to_text.features import log_mel


@pytest.mark.parametrize("mels", [80, 128])
def test_the_features_are_those_that_whisper_was_trained_on(mels: int) -> None:
    """faster-whisper's extractor, another writing of OpenAI's, gives the same."""
    extractor = pytest.importorskip("faster_whisper.feature_extractor", reason="pip install faster-whisper")
    samples = np.random.default_rng(1).normal(0, 0.1, 16_000 * 7).astype(np.float32)
    padded = np.concatenate([samples, np.zeros(16_000 * 5, np.float32)])
    theirs = extractor.FeatureExtractor(feature_size=mels)(padded, padding=0)
    ours = log_mel(samples, frames=1200, mels=mels)
    assert ours.shape == (mels, 1200)
    np.testing.assert_allclose(ours[:, :1199], theirs[:, :1199], atol=2e-4)


def test_longer_sound_is_cut_and_silence_is_flat() -> None:
    silent = log_mel(np.zeros(1, np.float32), frames=1000, mels=80)
    assert np.ptp(silent) == 0
    samples = np.random.default_rng(2).normal(0, 0.1, 32_000).astype(np.float32)
    assert log_mel(samples, frames=100, mels=80).shape == (80, 100)
