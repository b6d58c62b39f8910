"""Which language a text is likely in: enough to slice inputs by, and no more.

A script that few languages share names itself; among those in Latin script the commonest short words
decide. Texts of a few words stay "unknown": a wrong name would be worse than none.
"""

import re
from collections import Counter

SCRIPTS = {  # language: a letter of its script
    "Japanese": r"[\u3040-\u30ff]",
    "Korean": r"[\uac00-\ud7af]",
    "Chinese": r"[\u4e00-\u9fff]",
    "Russian or another in Cyrillic": r"[\u0400-\u04ff]",
    "Greek": r"[\u0370-\u03ff]",
    "Arabic script": r"[\u0600-\u06ff]",
    "Hebrew": r"[\u0590-\u05ff]",
    "Hindi or another in Devanagari": r"[\u0900-\u097f]",
    "Thai": r"[\u0e00-\u0e7f]",
}
WORDS = {
    "English": "the and of to is in that it for you with my i are on this have not be was what please",
    "German": "der die das und ist nicht ich sie ein eine zu mit den von auf für wir es dem bitte wie",
    "French": "le la les et est des une un vous que pour dans je pas sur avec ce il du au qui",
    "Spanish": "el la los las y es que de una un por para con no en mi se lo su como pero",
    "Italian": "il lo la gli e che di un una per non con sono mi è del della si ho più come",
    "Portuguese": "o a os as e que de um uma para com não em do da por se meu é você mais",
    "Dutch": "de het een en is niet van ik dat op te voor met zijn er aan u om maar wat mijn",
}
UNKNOWN = "unknown"
FEWEST_HITS = 2
HEAD = 2000  # characters that are looked at
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = [(name, re.compile(letter)) for name, letter in SCRIPTS.items()]
_KNOWN = {name: frozenset(words.split()) for name, words in WORDS.items()}


def language_of(text: str) -> str:
    """A name of ``SCRIPTS`` or ``WORDS``, or ``UNKNOWN``."""
    head = text[:HEAD]
    letters = sum(map(str.isalpha, head))
    for name, letter in _SCRIPTS:
        # Japanese is told by its kana, which may be few among characters shared with Chinese.
        if len(letter.findall(head)) > letters * (0.1 if name == "Japanese" else 0.4):
            return name
    words = Counter(word.lower() for word in _WORD.findall(head))
    hits = {name: sum(words[word] for word in known) for name, known in _KNOWN.items()}
    best, second = sorted(hits, key=lambda name: -hits[name])[:2]
    return best if hits[best] >= FEWEST_HITS and hits[best] > hits[second] else UNKNOWN
