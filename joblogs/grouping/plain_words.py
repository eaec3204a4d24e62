"""Words of a line that are common in messages: the line without the names in it.

Keys of failures are made of these. A name is known to vary only if several hosts have different
ones; a single host may have another name on the next day.
"""

from __future__ import annotations

import re

from .cause_words import is_listed_cause

_WORDS = frozenset(
    (
        b"a about above access account across action add added additional after again against all "
        b"already also an and another any app application apply archive archives are argument "
        b"arguments as assertion at attempt attributes available back backend backup bad base be "
        b"because been before begin being below beyond bit block blocks both bucket but by bytes "
        b"cache call called caller can change changes channel check checks child class cleanup "
        b"client code column command compilation components computer condition constraint "
        b"container content context control controller correct could count create created current "
        b"data database date day days db default define defined dependency detail details "
        b"detected device dir direct directory directories do does domain done due during each "
        b"either element empty end ended engine ensure entry environment evaluating evaluation "
        b"event every execution exit exited expect expected export extra feature field file files "
        b"filesystem find first fix follow following for force foreign format free from function "
        b"get given goal go got group had handle handler has have held help highest host hosts "
        b"how id if image import in index info information init input instance instead into is "
        b"issuer it item its job jobs keep key keys kind known language last layer leaving left "
        b"length less level library line lines link list local locate location long longer lookup "
        b"lookups machine main make manager manifest map marked may message metadata method "
        b"migration mode modified more msg must name names namespace need needed needs new next "
        b"node nodes normal not nothing notice now number object of off on once one only "
        b"operation option or order org other others out output over own owner package packages "
        b"page parameter parent part partition path peer pending per phase place please plugin "
        b"pod point policy pool possible previous problem problems process program project "
        b"property protocol provide provides publish pull push put range rank reach reached read "
        b"reading reason record reference region relation release remote repository request "
        b"requested require required requirement requirements response result results retrieve "
        b"return returned revision role root row rows rule run runner sample save says schedule "
        b"script scripts see sent sequence serial server service services set shell should show "
        b"signal since size skipping so some something source specified standard state statement "
        b"status step still store stream string sub subject such superblock support supported "
        b"symbol system table tables tag tags target task tasks temporary test tests than that "
        b"the their them then there these they this those thread through time times to too tool "
        b"total transaction transfer tried try trying type under unit up upload uploaded upstream "
        b"use used user users using value values variable via volume wait waiting was we were "
        b"what when where which while who will with within without work worker would write "
        b"writing you your"
    ).split()
)
_TOKEN = re.compile(rb"[\x80-\xff]+|[^\s\x80-\xff,;={}]+")
_MARKS = b"\"'`()[]<>:.,!?|*"
_ERROR_NAME = re.compile(
    # From the beginning of a name: starting at each capital letter would be quadratic.
    rb"(?<!\w)[^\WA-Z]*+([A-Z]\w*(?:Exception|Error|Failure|Fault|Exit)\b)|\b(SIG[A-Z]{2,})"
)


def plain_words(skeleton: bytes) -> bytes:
    """Return the words of a line's skeleton that are common in messages; it may have none."""
    kept = []
    for token in _TOKEN.findall(skeleton):
        word = token.strip(_MARKS)
        if error := _ERROR_NAME.search(word):
            kept.append(error[error.lastindex or 0])
        elif not word.isascii() or word.lower() in _WORDS or is_listed_cause(word):
            kept.append(word)
    return b" ".join(kept)
