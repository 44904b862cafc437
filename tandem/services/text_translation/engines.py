"""The network behind `translator`: which kind of model a folder holds."""

from __future__ import annotations

import struct
from pathlib import Path

from tandem.services.text_translation.engine import Engine, ModelSettings

#: CTranslate2 writes its format's version, then the name of the kind of network with its length.
_HEADER = struct.Struct("<IH")
_DECODER = "TransformerDecoderSpec"
_LONGEST_NAME = 100


def load_engine(folder: Path, settings: ModelSettings) -> Engine:
    """The model of the folder, ready.

    Raises:
        ValueError: the folder has no model, or one of another format; the message says what to do.
    """
    # Imported here: each kind brings a library of its own.
    from tandem.services.text_translation.chat_model import ChatModel  # noqa: PLC0415
    from tandem.services.text_translation.sequence_model import SequenceModel  # noqa: PLC0415

    kind = ChatModel if network_kind(folder / "model.bin") == _DECODER else SequenceModel
    return kind(folder, settings)


def network_kind(path: Path) -> str:
    """CTranslate2's name of the kind of network in a `model.bin`.

    Raises:
        ValueError: there is no such file, or it is none of CTranslate2's.
    """
    hint = "python -m export.translator.set_up makes the model"
    try:
        with path.open("rb") as file:
            _, length = _HEADER.unpack(file.read(_HEADER.size))
            if not 0 < length <= _LONGEST_NAME:
                raise ValueError(f"{path} is no model of CTranslate2; {hint}")
            return file.read(length).rstrip(b"\0").decode("ascii")
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror}); {hint}") from error
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no model of CTranslate2; {hint}") from error
