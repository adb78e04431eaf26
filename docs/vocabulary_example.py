"""Have ``extproc ownership vocabulary`` make a green list's words, for the output of ownership.md.

Usage: ``python docs/vocabulary_example.py COMMAND``, as in ``extproc ownership vocabulary``; it
runs beside the demo's tokenizer and what its model learned from.  The first words are shown.
"""

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from extproc.demo.server.models import corpus
from extproc.demo.server.models.vocabulary import Vocabulary

SHOWN = 8
"""Lines of what it prints."""


def main() -> None:
    [command] = sys.argv[1:]
    texts = corpus.read().learned
    with tempfile.TemporaryDirectory() as made:
        Vocabulary.learn(texts).tokenizer.save(f"{made}/tokenizer.json")
        lines = [json.dumps(text) for text in texts]
        Path(made, "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
        words = [sys.executable, "-m", *shlex.split(command)]
        ended = subprocess.run(words, cwd=made, capture_output=True, text=True, check=True)
    print(f"$ {command} > words.json\n{ended.stderr}\n$ head -{SHOWN} words.json")
    print("\n".join(ended.stdout.splitlines()[:SHOWN]))


if __name__ == "__main__":
    main()
