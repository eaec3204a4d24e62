"""Signatures, a hundredth of a text's size, which show that it cannot contain another one. Pure."""

from .bitmaps import Bitmap, Signature, Table
from .grams import LONG as LONGEST_GRAM
from .literals import LITERAL_MIN, Literals, is_ascii_only, literals_of
from .places import PatternPlaces

__all__ = [
    "LITERAL_MIN",
    "LONGEST_GRAM",
    "Bitmap",
    "Literals",
    "PatternPlaces",
    "Signature",
    "Table",
    "is_ascii_only",
    "literals_of",
]
