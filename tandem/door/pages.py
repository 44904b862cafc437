"""Documents become pictures in a process of their own: what a decoder does there harms nobody else."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from tandem_triton import BadPictureError, DeadlineError

from tandem.door.errors import TooManyError
from tandem.door.options import MAX_ITEMS
from tandem.errors import InputError
from tandem.media.pages import document_kind_of, pictures_of

_MEMORY = 2 * 2**30  # bytes of address space of the process that decodes
_TIMEOUT_S = 20.0
_MOST_WAITING = 8


class _Decoder:
    """One process that decodes, made when first needed, again after it died."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    async def pictures(self, document: bytes) -> list[bytes]:
        if self._waiting >= _MOST_WAITING:
            raise TooManyError("too many documents are being decoded")
        self._waiting += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._running(), _decode, document)
            return await asyncio.wait_for(future, _TIMEOUT_S)
        except InputError as error:
            raise BadPictureError(str(error)) from None
        except (BrokenProcessPool, MemoryError):
            self._drop()
            raise BadPictureError("the document cannot be decoded") from None
        except asyncio.TimeoutError:
            self._drop()
            raise DeadlineError("the document could not be decoded in time") from None
        finally:
            self._waiting -= 1

    def _running(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_limit)
        return self._pool

    def _drop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)

    close = _drop


_DECODER = _Decoder()


async def to_pictures(items: Sequence[bytes]) -> tuple[bytes, ...]:
    """The items, each document among them replaced by its pictures.

    Raises:
        BadPictureError: a document is broken, over a limit, or there are too many pictures.
        DeadlineError: decoding took too long.
    """
    if not any(map(document_kind_of, items)):
        return tuple(items)
    pictures: list[bytes] = []
    for item in items:
        pictures += [item] if document_kind_of(item) is None else await _DECODER.pictures(item)
    if len(pictures) > MAX_ITEMS:
        raise BadPictureError(f"the request holds {len(pictures)} pictures; at most {MAX_ITEMS} are allowed")
    return tuple(pictures)


def close_decoder() -> None:
    """End the decoding process."""
    _DECODER.close()


def _limit() -> None:
    """Bound what the decoding process may take; run in it."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _decode(document: bytes) -> list[bytes]:
    return pictures_of(document)
