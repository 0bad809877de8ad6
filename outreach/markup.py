"""The little markup of a mail's body: paragraphs, ``- `` lists, ``**bold**``, ``[words](https://…)`` and bare links.

Everything else is text. There is no way to write HTML, so nothing in a template or a value can become markup.
"""

import re
from html import escape

_INLINE = re.compile(
    r"\[(?P<words>[^\[\]\n]{1,200})\]\((?P<target>(?:https?://|mailto:)[^\s()<>\"']{1,1000})\)"
    r"|(?P<bare>https?://[^\s<>\"'\])]{1,1000}[^\s<>\"'\]).,;:!?])"
    r"|\*\*(?P<bold>[^*\n]{1,300})\*\*"
)
_PARAGRAPH = "margin:0 0 1em"


def to_html(body: str, *, styled: bool = True) -> str:
    """The body as HTML, everything escaped; ``styled`` for a mail, without for a page, which has its own style."""
    paragraph, list_ = (f' style="{_PARAGRAPH}"', f' style="{_PARAGRAPH};padding-left:1.4em"') if styled else ("", "")
    blocks = []
    for block in _blocks(body):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            items = "".join(f"<li>{_inline_html(line[2:])}</li>" for line in lines)
            blocks.append(f"<ul{list_}>{items}</ul>")
        else:
            blocks.append(f"<p{paragraph}>{'<br>'.join(_inline_html(line) for line in lines)}</p>")
    return "\n".join(blocks)


def to_text(body: str) -> str:
    """The body as plain text: links written out, no stars."""
    return "\n\n".join("\n".join(_inline_text(line) for line in block.split("\n")) for block in _blocks(body))


def _blocks(body: str) -> list[str]:
    tidy = "\n".join(line.rstrip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return [block.strip("\n") for block in re.split(r"\n{2,}", tidy) if block.strip()]


def _inline_html(line: str) -> str:
    done, position = [], 0
    for match in _INLINE.finditer(line):
        done.append(escape(line[position : match.start()]))
        if match["words"] is not None:
            done.append(f'<a href="{escape(match["target"])}">{escape(match["words"])}</a>')
        elif match["bare"] is not None:
            done.append(f'<a href="{escape(match["bare"])}">{escape(match["bare"])}</a>')
        else:
            done.append(f"<strong>{escape(match['bold'])}</strong>")
        position = match.end()
    return "".join(done) + escape(line[position:])


def _inline_text(line: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match["words"] is not None:
            return f"{match['words']} ({match['target'].removeprefix('mailto:')})"
        return match["bare"] or match["bold"]

    return _INLINE.sub(plain, line)
