"""Signatures: what tells that a text cannot hold another one, in a hundredth of its size. Pure."""

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
