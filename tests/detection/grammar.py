"""Texts that a small grammar makes: twenty intents in five domains, and texts of other domains.

Rule: no text is of a data set, so that the quick measures need nothing but this repository.
"""

from itertools import product
from typing import Final

import numpy as np

from tests.detection.texts import Corpus, Part, corpus

_PER_INTENT: Final = 100
_CUTS: Final[dict[Part, slice]] = {
    "reference": slice(40),
    "ranks": slice(40, 65),
    "set": slice(65, 80),
    "tried": slice(80, None),
}
_OPENINGS: Final = ("please", "i want to", "can you", "help me", "how do i", "let us")
_ENDINGS: Final = (
    "now",
    "today",
    "before noon",
    "for my sister",
    "again",
    "if possible",
    "by friday",
)
_DOMAINS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "travel": (
        ("book a flight", "reserve a seat", "find a plane"),
        ("rent a car", "hire a van", "pick up the rental"),
        ("cancel the hotel", "leave the room early", "drop the reservation"),
        ("renew a passport", "get a visa", "extend the permit"),
    ),
    "kitchen": (
        ("bake bread", "knead the dough", "heat the oven"),
        ("boil an egg", "fry two eggs", "poach eggs in water"),
        ("order a pizza", "get noodles delivered", "buy takeaway"),
        ("count the calories", "look up the sugar", "weigh the butter"),
    ),
    "home": (
        ("dim the lights", "switch the lamp off", "turn the bulbs blue"),
        ("lower the thermostat", "warm the bedroom", "stop the heating"),
        ("lock the front door", "arm the alarm", "check the back gate"),
        ("vacuum the carpet", "send the robot round", "mop the floor"),
    ),
    "work": (
        ("schedule a meeting", "move the call", "invite the team"),
        ("file my expenses", "claim the taxi", "submit the receipts"),
        ("request vacation", "take monday off", "report sick leave"),
        ("reset my password", "unlock the laptop", "change the pin code"),
    ),
    "music": (
        ("play some jazz", "start the playlist", "put on a record"),
        ("skip this song", "jump to the next track", "never play it again"),
        ("raise the volume", "make it louder", "turn the bass up"),
        ("name that singer", "tell me the album", "who wrote the tune"),
    ),
}
_ELSEWHERE: Final = (
    ("diagnose", "treat", "prescribe for", "x-ray", "operate on", "examine"),
    ("a fractured wrist", "chronic asthma", "thyroid nodules", "an infected molar", "gout"),
    (
        "in elderly patients",
        "with antibiotics",
        "under anaesthesia",
        "after surgery",
        "at the ward",
    ),
    ("without complications", "despite diabetes", "within hours", "per guideline"),
)


def grammar(rng: np.random.Generator) -> Corpus:
    asked: list[list[str]] = []
    domains: list[int] = []
    for number, intents in enumerate(_DOMAINS.values()):
        for phrases in intents:
            texts = [" ".join(parts) for parts in product(_OPENINGS, phrases, _ENDINGS)]
            asked.append([texts[at] for at in rng.permutation(len(texts))[:_PER_INTENT]])
            domains.append(number)
    parts = {part: [texts[cut] for texts in asked] for part, cut in _CUTS.items()}
    return corpus("a grammar", parts, domains, [" ".join(each) for each in product(*_ELSEWHERE)])
