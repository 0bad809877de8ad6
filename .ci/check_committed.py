"""Fail when a committed file names a package index, a private path or something that looks like a secret."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = {
    "a package index": r"--(extra-)?index-url\s+http|https?://[^\s\"'>]*/simple/|files\.python" + r"hosted\.org",
    "a private path": r"(?<![\w.])/(?:home|Users|root)/\w+/",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE" + r" KEY-----",
    "an AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "a SendGrid key": r"\bSG\.[\w-]{22}\.[\w-]{43}\b",
    "an OpenAI key": r"\bsk-(?:proj-)?[A-Za-z0-9]{32,}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b",
    "a Google secret": r"\bGOCSPX-[\w-]{28}\b|\bAIza[\w-]{35}\b",
    "a password in an address": r"\b(?:postgres(?:ql)?|rediss?|amqps?)://[^\s:@/]*:(?!\$|\{|<|x@|secret@|password@|pw@)[^\s@/'\"{}$]{12,}@",
}
PATTERNS = {what: re.compile(pattern) for what, pattern in RULES.items()}


def findings(path: Path) -> list[str]:
    """One line for each breach in ``path``; binary files are passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
    return [
        f"{path.relative_to(ROOT)}:{number}: {what}"
        for number, line in enumerate(lines, 1)
        for what, pattern in PATTERNS.items()
        if pattern.search(line)
    ]


def main() -> int:
    """Check every file git knows; 1 when something was found."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    names = [name for name in listing.decode().split("\0") if name]
    paths = [ROOT / name for name in names if (ROOT / name).is_file()]
    found = [line for path in paths for line in findings(path)]
    found += [f"{name}: an environment file" for name in names if Path(name).name == ".env"]
    print("\n".join(found) or f"{len(paths)} committed files: no index, private path or secret")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
