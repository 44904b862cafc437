"""Encoded sound to samples: formats, limits, channels and rate are decided here.

libsndfile (package soundfile) reads WAV, FLAC and OGG; FFmpeg (package av) reads MP3, and what phones and
browsers record, M4A and WebM. Both decode block by block, so that half an hour never lies in memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tandem.errors import InputError

SAMPLE_RATE = 16_000  # Hz, of what comes out
MAX_BYTES = 64 * 2**20
MAX_SECONDS = 1800.0
MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 4_000, 192_000  # Hz
ALLOWED = "WAV, FLAC, OGG (Opus or Vorbis), MP3, M4A or WebM"

_BLOCK_SECONDS = 1.0
#: A file may miss this much of what its header promises: encoders round up to whole frames.
_MISSING_SECONDS = 0.5
#: Programs that don't know the length yet write 0, or a size like this and above, into a WAV's header.
_LEAST_UNKNOWN_WAV_SIZE = 0x7FFF_0000
_OGG_HEADER_BYTES = 27
_MP3_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")
_MP3_HEAD_BYTES = 4096
_SNDFILE = frozenset({"WAV", "FLAC", "OGG"})
_FFMPEG = {"MP3": "mp3", "M4A": "mov", "WEBM": "matroska"}


@dataclass(frozen=True, kw_only=True)
class _Source:
    """An opened file.

    Attributes:
        rate: Hz.
        channels: how many.
        seconds: what the header says, None if it says nothing.
        blocks: (n, channels) float32, as recorded.
    """

    rate: int
    channels: int
    seconds: float | None
    blocks: Iterator[NDArray[np.float32]]


def decode(data: bytes) -> NDArray[np.float32]:
    """(n,) float32 mono samples at 16 kHz in -1…1: all of `decoded_blocks`, one behind the other.

    Raises:
        InputError: as `decoded_blocks`.
    """
    return np.concatenate(list(decoded_blocks(data)))


def decoded_blocks(data: bytes) -> Iterator[NDArray[np.float32]]:
    """Blocks of mono samples at 16 kHz, (n,) float32 in -1…1, each about a second.

    Args:
        data: a whole WAV, FLAC, OGG, MP3, M4A or WebM file, at most 64 MiB, 30 minutes, 8 channels.

    Raises:
        InputError: not one of these formats, empty, truncated or broken, or over a limit; the message says
            what is allowed. What the header shows is refused before anything is decoded.
    """
    if not data:
        raise InputError("the recording is empty: 0 bytes were sent")
    if len(data) > MAX_BYTES:
        raise InputError(
            f"the recording has {len(data)} bytes; at most {MAX_BYTES} (64 MiB) are allowed: send FLAC or OGG"
        )
    name = format_of(data)
    if name is None:
        raise InputError(f"the data is not a recording in a known format; {ALLOWED} is allowed")
    try:
        yield from _resampled(_open(data, name), name)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # the decoders raise nearly anything on broken bytes
        raise InputError(f"the {name} recording is truncated or broken and cannot be decoded") from error


def format_of(data: bytes) -> str | None:
    """The format by the file's first bytes, None if it is none of ours."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "WAV"
    if data.startswith(b"fLaC"):
        return "FLAC"
    if data.startswith(b"OggS"):
        return "OGG"
    if data[4:8] == b"ftyp":
        return "M4A"
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "WEBM"
    # an ID3 tag, or an MPEG frame of layer III: 11 bits of ones, a version and a layer that exist
    is_frame = len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2 and data[1] & 0x18 != 0x08
    return "MP3" if data.startswith(b"ID3") or is_frame else None


def _open(data: bytes, name: str) -> _Source:
    if name in _SNDFILE:
        _check_length(data, name)
        return _open_sndfile(data)
    return _open_ffmpeg(data, name)


def _open_sndfile(data: bytes) -> _Source:
    file = soundfile.SoundFile(BytesIO(data))

    def blocks() -> Iterator[NDArray[np.float32]]:
        with file:
            yield from file.blocks(
                blocksize=int(file.samplerate * _BLOCK_SECONDS), dtype="float32", always_2d=True
            )

    return _Source(
        rate=file.samplerate,
        channels=file.channels,
        seconds=file.frames / file.samplerate if file.frames < 2**62 else None,
        blocks=blocks(),
    )


def _open_ffmpeg(data: bytes, name: str) -> _Source:
    try:
        import av  # noqa: PLC0415 - 100 MB that a server for the other formats can leave out
    except ImportError as error:
        raise InputError(f"this server has no decoder for {name}; WAV, FLAC or OGG is allowed") from error
    container = av.open(BytesIO(data), mode="r", format=_FFMPEG[name])
    if not container.streams.audio:
        container.close()
        raise InputError(f"the {name} file has no sound")
    stream = container.streams.audio[0]
    stream.codec_context.thread_type = "NONE"

    # FFmpeg guesses an MP3's length by its first frame, unless the encoder wrote it.
    has_length = name != "MP3" or any(tag in data[:_MP3_HEAD_BYTES] for tag in _MP3_LENGTH_TAGS)

    def blocks() -> Iterator[NDArray[np.float32]]:
        with container:
            to_float = av.AudioResampler(format="fltp", rate=stream.rate)
            for frame in container.decode(stream):
                yield from (_planes(part) for part in to_float.resample(frame))

    return _Source(
        rate=stream.rate,
        channels=stream.channels,
        seconds=container.duration / av.time_base if container.duration and has_length else None,
        blocks=blocks(),
    )


def _planes(frame: Any) -> NDArray[np.float32]:
    """(n, channels) of FFmpeg's frame (channels, n)."""
    samples: NDArray[np.float32] = frame.to_ndarray().T
    return samples


def _resampled(source: _Source, name: str) -> Iterator[NDArray[np.float32]]:
    """The source in one channel and at our rate; refuses what breaks a limit on the way."""
    _check_header(source, name)
    resampler = soxr.ResampleStream(source.rate, SAMPLE_RATE, 1, dtype="float32")
    heard = 0
    for block in source.blocks:
        heard += len(block)
        if heard > MAX_SECONDS * source.rate:
            raise InputError(_too_long(heard / source.rate))
        if not np.isfinite(block).all():
            raise InputError("the recording has samples that are no numbers (NaN or infinite)")
        mono = block.mean(axis=1, dtype=np.float32)
        resampled = resampler.resample_chunk(np.clip(mono, -1, 1))
        if len(resampled):
            yield resampled
    if heard == 0:
        raise InputError(f"the {name} recording holds no samples")
    if source.seconds is not None and heard / source.rate < source.seconds - _MISSING_SECONDS:
        raise InputError(
            f"the {name} recording is truncated: {heard / source.rate:.1f} of {source.seconds:.1f} s came"
        )
    last = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
    if len(last):
        yield last


def _check_header(source: _Source, name: str) -> None:
    if not 1 <= source.channels <= MAX_CHANNELS:
        raise InputError(f"the recording has {source.channels} channels; 1 to {MAX_CHANNELS} are allowed")
    if not MIN_RATE <= source.rate <= MAX_RATE:
        raise InputError(f"the recording has {source.rate} Hz; {MIN_RATE} to {MAX_RATE} Hz are allowed")
    if source.seconds is not None and source.seconds > MAX_SECONDS:
        raise InputError(_too_long(source.seconds))
    if source.seconds is not None and source.seconds <= 0:
        raise InputError(f"the {name} recording holds no samples")


def _too_long(seconds: float) -> str:
    return (
        f"the recording lasts {seconds:.0f} s or more; at most {MAX_SECONDS:.0f} s (30 minutes) are allowed"
    )


def _check_length(data: bytes, name: str) -> None:
    """Refuse a file that ends before its header says: libsndfile would read what is there and say nothing."""
    if name == "WAV":
        stated = int.from_bytes(data[4:8], "little")
        is_known = 0 < stated < _LEAST_UNKNOWN_WAV_SIZE
        # Some writers count a padding byte that they don't write.
        if is_known and stated + 8 > len(data) + 1:
            raise InputError(f"the WAV recording is truncated: {len(data)} of {stated + 8} bytes were sent")
    if name == "OGG" and _last_ogg_page_end(data) > len(data):
        raise InputError(
            f"the OGG recording is truncated: its last page ends after the {len(data)} bytes sent"
        )


def _last_ogg_page_end(data: bytes) -> int:
    """Where the last page ends by its own table of segment lengths (RFC 3533, section 6)."""
    start = data.rfind(b"OggS")
    if start + _OGG_HEADER_BYTES > len(data):
        return len(data) + 1
    count = data[start + _OGG_HEADER_BYTES - 1]
    table = data[start + _OGG_HEADER_BYTES :][:count]
    return start + _OGG_HEADER_BYTES + count + sum(table)
