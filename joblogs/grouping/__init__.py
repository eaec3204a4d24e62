"""Grouping: which hosts of a step did the same, by what they printed. Pure functions of bytes.

Whatever of a line has a digit is a *slot*; what is left is its *skeleton*. Of each log its
*features* are kept: the skeletons' hashes, and of each slot what kind of value it holds and how
much (`features`). Whether a value is noise cannot be seen in one log; over all hosts of a step it
is plain (`groups`).
"""
