from __future__ import annotations

from pathlib import Path

import pytest

from export.voice_activity import set_up
from export.voice_activity.set_up import make_voice_activity


def test_the_network_is_put_beside_its_service_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    (tmp_path / "silero_vad_16k_sequence.onnx").write_bytes(b"network")

    def ensure(weights: object, *, say: object) -> Path:
        asked.append(weights)
        return tmp_path

    monkeypatch.setattr(set_up, "ensure_weights", ensure)
    served = tmp_path / "models" / "speech_to_text" / "1" / "voice.onnx"
    for _ in range(2):
        make_voice_activity(print, tmp_path / "models")
    assert served.read_bytes() == b"network"
    assert asked == [set_up.SILERO_VAD]
    served.unlink()
    make_voice_activity(print, tmp_path / "models")
    assert served.exists()
