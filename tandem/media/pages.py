"""Documents that hold pictures, as pictures: HEIC, AVIF, GIF and PDF become JPEG or PNG.

This runs decoders over a stranger's bytes: do it in a process of its own (see `tandem.door.pages`).
"""

from __future__ import annotations

from io import BytesIO
from typing import Literal

from PIL import Image, ImageOps

from tandem.errors import InputError
from tandem.media.picture import MAX_BYTES, MAX_PIXELS, MAX_SIDE, check_size

Kind = Literal["HEIC", "AVIF", "GIF", "PDF"]

MAX_PAGES = 4
#: A card on an A4 page is 340 px wide at 100 dpi; at 200 dpi its smaller characters have 21 px.
PDF_DPI = 200
_PDF_POINTS_PER_INCH = 72
_JPEG_QUALITY = 95
#: Brands of the ISO base media file format (ISO/IEC 23008-12 for HEIC, AV1 Image File Format for AVIF).
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))


def document_kind_of(data: bytes) -> Kind | None:
    """Which document this is by its first bytes; None: none, maybe a picture already."""
    if data.startswith(b"%PDF-"):
        return "PDF"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[4:8] != b"ftyp":
        return None
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(64, len(data)), 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & _HEIC_BRANDS else None


def pictures_of(data: bytes) -> list[bytes]:
    """The pictures in a document, encoded, upright: a PDF's pages, or the one of another kind.

    Args:
        data: a whole HEIC, AVIF, GIF or PDF file.

    Raises:
        InputError: it is broken, or over a limit; the message says which.
    """
    kind = document_kind_of(data)
    if kind is None:
        raise InputError("the data is no HEIC, AVIF, GIF or PDF")
    if len(data) > MAX_BYTES:
        raise InputError(f"the {kind} has {len(data)} bytes; at most {MAX_BYTES} (20 MiB) are allowed")
    try:
        return _pdf_pages(data) if kind == "PDF" else [_still(data, kind)]
    except (InputError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"the {kind} is too large; at most {MAX_PIXELS // 10**6} megapixels are allowed"
        ) from error
    except Exception as error:  # decoders raise nearly anything on broken bytes
        raise InputError(f"the {kind} is truncated or broken and cannot be decoded") from error


def _still(data: bytes, kind: Kind) -> bytes:
    if kind in ("HEIC", "AVIF"):
        _register_heif(kind)
    formats = {"HEIC": "HEIF", "AVIF": "AVIF", "GIF": "GIF"}
    with Image.open(BytesIO(data), formats=[formats[kind]]) as image:
        check_size(image.height, image.width)
        image.load()
        return _encoded(ImageOps.exif_transpose(image))


def _register_heif(kind: Kind) -> None:
    import pillow_heif  # noqa: PLC0415 - a decoder is loaded only where it is needed

    if kind == "HEIC":
        pillow_heif.register_heif_opener(thumbnails=False)


def _pdf_pages(data: bytes) -> list[bytes]:
    import pypdfium2  # noqa: PLC0415 - a decoder is loaded only where it is needed

    document = pypdfium2.PdfDocument(data)
    try:
        if not len(document):
            raise InputError("the PDF has no page")
        if len(document) > MAX_PAGES:
            raise InputError(f"the PDF has {len(document)} pages; at most {MAX_PAGES} are allowed")
        return [_pdf_page(document[number]) for number in range(len(document))]
    finally:
        document.close()


def _pdf_page(page: object) -> bytes:
    """One page as a picture; a page that would be too large is drawn smaller."""
    width, height = page.get_size()  # type: ignore[attr-defined]
    if min(width, height) <= 0:
        raise InputError("a page of the PDF has no size")
    scale = PDF_DPI / _PDF_POINTS_PER_INCH
    scale = min(scale, MAX_SIDE / max(width, height), (MAX_PIXELS / (width * height)) ** 0.5)
    image = page.render(scale=scale).to_pil()  # type: ignore[attr-defined]
    check_size(image.height, image.width)
    return _encoded(image)


def _encoded(image: Image.Image) -> bytes:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    stream = BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return stream.getvalue()
