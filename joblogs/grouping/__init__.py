"""Grouping of a step's hosts by their output. Pure functions of bytes.

Every part of a line with a digit is a *slot*; the rest is the line's *skeleton*. For each log its
*features* are stored: the hashes of the skeletons, and for each slot the kind of its value and its
magnitude (`features`). One log does not show whether a value is noise, but all hosts of a step do
(`groups`).
"""
