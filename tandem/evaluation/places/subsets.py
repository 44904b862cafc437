"""The subsets of photographs on real grounds, by name."""

from __future__ import annotations

from tandem.evaluation.places import digital, handled, monitor, on_table
from tandem.evaluation.places.setting import Draw

# A photograph is drawn from its subset's name, so new subsets change no others.
REAL_SUBSETS: dict[str, Draw] = {
    "desk": on_table.desk,
    "paper": on_table.paper,
    "form": on_table.form,
    "sleeve": on_table.sleeve,
    "small": on_table.small,
    "large": on_table.large,
    "copy": on_table.copy,
    "watermark": digital.watermark,
    "screenshot": digital.screenshot,
    "screen": monitor.screen,
    "curved": handled.curved,
    "hands": handled.hands,
    "cropped": on_table.cropped,
    "messaging": digital.messaging,
}
