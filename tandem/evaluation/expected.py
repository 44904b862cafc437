"""What the answer's checks have to say of a drawn card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from tandem.training.draw.faces import Side
from tandem.training.draw.people import LONG_TERM, EmblemFault, PortraitFault


def expected_checks(
    side: Side, fields: Mapping[str, str], fault: PortraitFault | EmblemFault | None, today: date
) -> dict[str, bool]:
    """The checks' results, from how the card was drawn and the day it is read.

    Args:
        side: which side.
        fields: the text as printed.
        fault: how it contradicts itself; None: it does not.
        today: the day it is read.
    """
    if side == "portrait":
        return {
            "number_checksum": fault != "checksum",
            "birth_matches_number": fault != "birth",
            "sex_matches_number": fault != "sex",
            "region_known": True,
        }
    end = fields["有效期限"].partition("-")[2]
    over = end != LONG_TERM and date(*(int(part) for part in end.split("."))) < today
    return {"validity_span": fault != "span", "expired": over}
