"""What the generic rules share: names of credentials in several languages, what stands between a name and a value, samples."""

from __future__ import annotations

from keyward.plugin import GENERIC, Kind, Rule
from keyward.plugin.shapes import Shape, an, chars, concat

SECRET = Kind("generic/secret")

LANGUAGES = (  # Dutch, Danish, Polish, Swedish, Finnish, Romanian and Turkish, Indonesian, Vietnamese; Russian, Ukrainian; Chinese, Japanese, Korean
    rb"[Ww](?i:achtwoord)|[Aa](?i:dgangskode)|[Hh](?i:as(?:l|\xc5\x82)o)|[Ll](?i:(?:o|\xc3\xb6)senord)|[Ss](?i:alasana|ifre)|[Pp](?i:arol[ae])|[Kk](?i:ata_?sandi)|[Mm](?i:at_?khau)|"
    rb"\xd0[\xbf\x9f]\xd0\xb0(?:\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c|\xd1\x81\xd0\xb2\xd0\xbe\xd1\x80\xd0\xb4)|\xe5(?:\xaf\x86\xe7(?:\xa0\x81|\xa2\xbc)|\xaf\x86\xe9\x92\xa5|\x8f\xa3\xe4\xbb\xa4)|"
    rb"\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89|\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8"
)
_NAMES = (  # the first letters as sets, so that `re` passes over other text fast
    rb"[Pp](?i:ass(?:word|wd|phrase|code|wort)|wd|rivate[_.-]?key)|[Ss](?i:ecret|enha|(?:igning|ervice|hared|torage|ession)[_.-]?key)|[Tt](?i:oken)|"
    rb"[Aa](?i:pi[_.-]?key|ccess[_.-]?key|uth[_.-]?key|uthorization|(?:ccount|dmin|pp)[_.-]?key)|[Cc](?i:redential|lient[_.-]?key|ontrase(?:\xc3\xb1|n)a)|"
    rb"[Ee](?i:ncryption[_.-]?key)|[Ll](?i:icense[_.-]?key)|[Mm](?i:aster[_.-]?key|ot[_ ]?de[_ ]?passe)|[Dd](?i:eploy[_.-]?key)|[Ww](?i:ebhook[_.-]?key)|"
    rb"[Hh](?i:mac[_.-]?key)|[Bb](?i:ot[_.-]?key)|[Kk](?i:ennwort)|(?<![A-Za-z])[Pp](?i:ass|w|sk)(?![A-Za-z])|(?<=[a-z])Pass(?![a-z])|[_.-](?i:pass|auth(?!or))|"
    + LANGUAGES
)
_RARER = (
    rb"[Pp](?i:epper)|[Ss](?i:onar\.login)|[Ee](?i:rlang_?cookie)|a(?<=[a-z]:a)uth(?=\()|"
    rb"p(?<=[a-z]p)(?:ass|w)(?![A-Za-z])(?<!bypass)(?<!compass)(?<!overpass)(?<!surpass)(?<!trespass)"
)
WORDS = rb"(?:" + _NAMES + rb"|" + _RARER + rb")"
FEWER_WORDS = rb"(?:" + _NAMES + rb")"
"""For a pattern that goes on past the end of a line: with the rarer names its first pass costs five times as much (a quarter of all rules')."""

TAIL = rb"[A-Za-z0-9_.-]{0,24}"
IN_QUOTES = rb"(?P<secret>[!#-&(-\[\]-_a-~]{6,200})"
BARE_REST = rb"[A-Za-z0-9!#$%&*+./:=?@^_~|-]"
BARE = rb"(?P<secret>[A-Za-z0-9!#%&*+./:=?@^_~|-]" + BARE_REST + rb"{5,199})"
PASSWORD = (
    rb"(?:[Pp](?i:ass(?:word|wd|phrase|code|wort)|wd)|(?<![A-Za-z])[Pp](?i:ass|w)(?![A-Za-z])|[_.-](?i:pass)|[Kk](?i:ennwort)|[Ss](?i:enha)|[Cc](?i:ontrase(?:\xc3\xb1|n)a)|"
    + LANGUAGES
    + rb")[0-9]{0,2}"
)
"""Names that only passwords have, to their end."""

RANDOM = an(32)
STRONG = concat(
    chars("BCDFGHJKLMNPQRTVWXZ", 2),
    "7",
    chars("bcdfghjkmnpqrtvwxz", 3),
    "#",
    chars("BCDFGHJKMNPQRTVWXZ", 2),
    "4!",
    chars("bcdfghjkmnpqrtvwxz", 2),
)



def rule(
    name: str,
    pattern: bytes,
    examples: tuple[Shape, ...],
    near_misses: tuple[Shape, ...],
    score: int = 45,
    whole: bool = False,
    anchor: bytes | None = None,
    window: int = 600,
) -> Rule:
    """`whole`: look for the whole pattern, up to the end of the value, in the first pass; the value's end rules much out."""
    return Rule(
        f"generic/{name}",
        SECRET,
        pattern,
        anchor=anchor or (pattern if whole else None),
        window=300 if whole else window,
        score=score,
        specificity=GENERIC,
        examples=examples,
        near_misses=near_misses,
    )
