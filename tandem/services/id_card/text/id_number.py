"""What a citizen's number says about itself (GB 11643-1999): region, birth, sex, check digit."""

from __future__ import annotations

from datetime import date

LENGTH = 18
WITHOUT_CHECK = 17  # as some software prints it: all but the check digit
OLD_LENGTH = 15  # before 1999: two-digit year, no check digit

# Weights 2^(17 - i) mod 11 of the first 17 digits, and the check digit of each remainder of their sum.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_OLD_CENTURY = "19"


def checksum_holds(number: str) -> bool:
    """Whether the last of 18 characters is the check digit of the first 17 (mod 11-2)."""
    digits = number[:WITHOUT_CHECK]
    if len(number) != LENGTH or not _all_digits(digits):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return _CHECK_DIGITS[total % 11] == number[-1]


def birth_of(number: str) -> date | None:
    """The day of birth that the number holds; None if that is no day or the number no number."""
    if len(number) in (LENGTH, WITHOUT_CHECK):
        digits = number[6:14]
    elif len(number) == OLD_LENGTH:
        digits = _OLD_CENTURY + number[6:12]
    else:
        return None
    return day_of(digits[:4], digits[4:6], digits[6:])


def is_male(number: str) -> bool | None:
    """Whether the sequence number is odd, as men's are; None if the number has none."""
    place = {LENGTH: 16, WITHOUT_CHECK: 16, OLD_LENGTH: 14}.get(len(number))
    if place is None or not _all_digits(number[place]):
        return None
    return int(number[place]) % 2 == 1


def day_of(year: str, month: str, day: str) -> date | None:
    """The day, or None where the calendar has none."""
    if not _all_digits(year + month + day):
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
