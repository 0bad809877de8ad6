"""The phrases that rules look for in mails, kept as text: one file a meaning, one expression a line."""

import re
from functools import lru_cache
from pathlib import Path

_FILES = Path(__file__).parent / "phrases"


@lru_cache
def phrases(name: str) -> re.Pattern[str]:
    """The phrases of ``phrases/<name>.txt`` as one pattern, over the form of ``common.text.normalise``.

    So they are plain lower-case ASCII; a line that begins with ``#`` says which language follows.
    """
    lines = (_FILES / f"{name}.txt").read_text().splitlines()
    return re.compile(
        "|".join(rf"(?<!\w)(?:{line})" for line in lines if line and not line.startswith("# ")), re.MULTILINE
    )
