"""Names that a lenient reader may take for each other: one form for all of them.

Rule: what changes only the looks changes nothing here.  Readers that are known to be lenient ignore
case (Go's encoding/json, thus Ollama; Jackson and System.Text.Json where set so), take snake_case
and camelCase for one (protobuf's JSON mapping, thus Gemini and Triton), or drop separators (relaxed
binding).  Those that normalise Unicode, transliterate, or stop at a NUL are met as well.  Aliases
of a field (``max_new_tokens`` for ``max_tokens``) are other names: a gate names or refuses them.

Sources: Unicode Standard Annex 15 (NFKD); Unicode Technical Standard 39 (confusables), of which
only the letters of ASCII's own form are here; Unicode's Default_Ignorable_Code_Point.
"""

import unicodedata
from typing import Final

_LETTERS: Final = str.maketrans(
    # Cyrillic
    "аеорсухѕіјһԁԛԝѵкмтнвӏԍпгАЕОРСУХЅІЈҺԀԚԜѴКМТНВӀԌ"
    # Greek
    "αεορνικτυχγηωβςϳΑΕΟΡΝΙΚΤΥΧΗΒΖΜͿ"
    # Armenian
    "օոսհցզ"
    # Latin letters that do not decompose
    "ıɑɡłđħŧøɩʟᴏᴄᴜᴠᴡᴢꜱǀ",
    "aeopcyxsijhdqwvkmthblgnrAEOPCYXSIJHDQWVKMTHBLG"
    "aeopviktuxynwbcjAEOPNIKTYXHBZMJ"
    "onuhgq"
    "iagldhtoilocuvwzsl",
)


def plain(name: str) -> str:
    """ASCII letters and digits, in lower case; empty where a name has none."""
    whole, *_ = name.partition("\0")
    # Twice: a compatibility form may have a case of its own, and a folded letter marks of its own.
    for _ in range(2):
        whole = unicodedata.normalize("NFKD", whole).translate(_LETTERS).casefold()
    return "".join(character for character in whole if character.isascii() and character.isalnum())
