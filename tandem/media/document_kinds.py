"""The kinds of documents that services tell apart, written once for all of them."""

from __future__ import annotations

#: In the order of the classifier's outputs.
KINDS = (
    "resident_id.portrait",
    "resident_id.emblem",
    "hmt_residence_permit.portrait",
    "hmt_residence_permit.emblem",
    "foreign_permanent_resident.portrait",
    "foreign_permanent_resident.emblem",
    "temporary_id.portrait",
    "temporary_id.emblem",
    "residence_permit",
    "driving_licence",
    "vehicle_licence",
    "social_security",
    "bank_card",
    "passport_page",
    "household_register",
    "other_card",
    "paper",
    "none",
)
RESIDENT_PORTRAIT, RESIDENT_EMBLEM = KINDS[0], KINDS[1]
RESIDENT = (RESIDENT_PORTRAIT, RESIDENT_EMBLEM)
NONE = KINDS[-1]
PAPER = "paper"
