"""More than two hundred odd files, made in memory: what people's programs really write, and what nobody should."""

import io
import random
import zipfile
from collections.abc import Iterator

import xlsxwriter

GOOD = [
    ["Company", "City", "E-mail", "Name"],
    ["Östergaard A/S", "Eyüp", "a@b.de", "Åsa Öz"],
    ["Acme", "Köln", "c@d.de", "Bo Li"],
]


def _text(rows: list[list[str]], delimiter: str = ",", end: str = "\n", quote: bool = False) -> str:
    def cell(value: str) -> str:
        return (
            '"' + value.replace('"', '""') + '"' if quote or any(c in value for c in (delimiter, '"', "\n")) else value
        )

    return "".join(delimiter.join(cell(value) for value in row) + end for row in rows)


def _encodings() -> Iterator[tuple[str, bytes]]:
    for name in (
        "utf-8",
        "utf-8-sig",
        "cp1252",
        "iso-8859-15",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp437",
        "utf-7",
    ):
        for delimiter in ",;\t|":
            yield f"{name} {delimiter!r}", _text(GOOD, delimiter).encode(name, "replace")
    for name in ("shift_jis", "gb18030", "euc_kr", "koi8-r", "big5", "cp1251"):
        yield f"{name}", _text([["Company", "City"], ["株式会社 Тест", "東京"]]).encode(name, "replace")
    yield "half utf-8, half cp1252", "Company\nKöln\n".encode() + "Müller\n".encode("cp1252")
    yield "a cut utf-8 letter", "Company\nMü".encode()[:-1]
    yield "utf-8 twice over", "Company\nMüller\n".encode().decode("cp1252").encode()
    yield "bytes cp1252 has not", b"Company\nA\x81\x8d\x8f\x90\x9dB\n"


def _ends() -> Iterator[tuple[str, bytes]]:
    for end in ("\n", "\r\n", "\r", "\n\n", "\r\r\n", "\n\r"):
        for quote in (False, True):
            yield f"ends {end!r} quoted {quote}", _text(GOOD, end=end, quote=quote).encode()
    yield "mixed ends", b"Company,City\r\nA,1\nB,2\rC,3\r\n"
    yield "no end at the end", b"Company\nAcme"
    yield "only ends", b"\n\r\n\r"
    yield "blank lines between", b"Company\n\n\nAcme\n\n,\n"
    yield "form feeds and vertical tabs", b"Company\nA\x0cB\nC\x0bD\n"
    yield "unicode line separators", "Company\nA\u2028B\nC\u0085D\n".encode()


def _quotes() -> Iterator[tuple[str, bytes]]:
    for number, body in enumerate((
        '"Acme,1\nB,2\n', 'Acme,"1\nB,2\n', '"A""cme",1\n', '"Acme" GmbH,1\n', 'Ac"me,1\n', '"Acme\nGmbH",1\n', '""\n', '"\n',
        '"""\n', '""""\n', 'A,"""\nB,2\n', '"A,"B",C\n', "'Acme',1\n", '"A\r\nB",1\nC,2\n', 'A,1\n"', 'A,"1"x"2"\nB,2\n',
        '“Acme”,1\n', '"A","\n\n\n","x"\n', ",".join('"x"' * 3) + "\n", '"' * 999 + "\n",
    )):  # fmt: skip
        yield f"quotes {number}", f"Company,City\n{body}Last,row\n".encode()
    yield "a quote that swallows many lines", b'Company\n"A\n' + b"B\n" * 3_000
    yield "a quote in every line", b"Company,City\n" + b'A,"B\n' * 300
    yield "backslash quotes", b'Company,City\n"A\\"B",C\n'


def _shapes() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "one byte", b"x"
    yield "header only", b"Company,City\n"
    yield "header without an end", b"Company,City"
    yield "blanks only", b"   \n  \n"
    yield "commas only", b",,,\n,,,\n"
    for width in (2, 50, 499, 500, 501, 5_000):
        header = ",".join(["Company", *(f"c{n}" for n in range(width - 1))])
        yield f"{width} columns", f"{header}\nAcme{',x' * (width - 1)}\n".encode()
    yield "a row wider than the header", b"Company\nAcme,1,2,3\nB\n"
    yield "a row of 5,000 cells", b"Company\nAcme" + b",x" * 5_000 + b"\nB\n"
    yield "short rows", b"Company,City,E-mail\nAcme\nB,1\n"
    yield "same header three times", b"Company,Company,Company\nA,B,C\n"
    yield "no header names", b",,\nAcme,Bremen,x\n"
    yield "header below a title", b"List of exhibitors\n\nCompany,City\nAcme,Bremen\n"
    yield "a separator line", b"sep=;\nCompany;City\nAcme;Bremen\n"
    for size in (10_000, 131_073, 1_048_577, 3_000_000):
        yield f"a cell of {size}", b"Company,City\nAcme," + b"x" * size + b"\nB,2\n"
        yield f"a name of {size}", b"Company,City\n" + b"x" * size + b",2\nB,2\n"
    yield "one column", b"Company\nAcme\nBorealis\n"
    yield "not a table", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
    yield "an image", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
    yield "html", b"<html><table><tr><td>Acme</td></tr></table></html>\n"
    yield "json", b'[{"Company": "Acme"}]\n'
    yield "random bytes", random.Random(7).randbytes(20_000)
    yield "random printable", bytes(random.Random(8).choices(range(32, 127), k=20_000))
    yield "random with newlines", bytes(random.Random(9).choices(b'abc",;\n\r\t\0', k=20_000))


_VALUES = [
    'NaN', 'NULL', 'null', 'None', 'N/A', 'n/a', '-', '--', '#N/A', '#REF!', 'TBD', '?', '.', 'No Phone', '=1+1',
    "=cmd|' /C calc'!A0", '+49 40 123456', '-1', '@SUM(A1)', "'=1+1", '\t=1', '/exhibitor/123', 'javascript:alert(1)',
    'http://', 'http:///x', 'www', 'a b.com', 'ftp://x.de', 'http://https://x.de', 'x@y', '@', 'a@b@c.de',
    'mailto:a@b.de', 'Ada <a@b.de>', 'a@b.de; c@d.de', 'a..b@c.de', 'ä@ö.de', '1e309', '1,200', '51-200', '$1.2M',
    '0', '\x00', 'a\x00b', '\x01\x02', '\u202eevil', '\ufeffx', '\ud7ff', '\U0001f469\u200d\U0001f680',
    '\U0001d49c\U0001d4b8\U0001d4c2\u212f', "ﷺ" * 50, 'Z\u0351\u036b\u0313\u036a\u0302\u036b\u033d',
    '<script>alert(1)</script>', "'; DROP TABLE people_person;--", '%s%n{0}', '\\N', '\\.', "x" * 301, "y" * 20_001,
    ' ', '\xa0',
]  # fmt: skip


def _values() -> Iterator[tuple[str, bytes]]:
    headers = "Company", "Website", "Phone", "E-mail", "Name", "Tier", "Employees", "Revenue", "isOps", "Tags"
    for number, value in enumerate(_VALUES):
        cell = '"' + value.replace('"', '""') + '"'
        lines = [",".join(headers), ",".join(["Acme", *([cell] * 9)]), ",".join([cell, *([""] * 9)]), "Last,,,,,,,,,"]
        yield f"value {number} {value[:12]!r}", ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def workbook(rows: list[list[object]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("List")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def _workbooks() -> Iterator[tuple[str, bytes]]:
    good = workbook(GOOD)  # type: ignore[arg-type]
    yield "a workbook", good
    yield (
        "numbers, truth and formulas",
        workbook([["Company", "Employees", "isOps"], ["Acme", 1200.0, True], ["=1+1", 3.5, False]]),
    )
    yield "an empty workbook", workbook([])
    yield "a workbook with a header only", workbook([["Company", "City"]])
    yield "a sparse workbook", workbook([[], [], ["Company"], [], ["Acme"], [""], ["B"]])
    yield "600 columns in a workbook", workbook([[f"c{n}" for n in range(600)], ["x"] * 600])
    for place, size in (
        ("4 bytes", 4),
        ("100 bytes", 100),
        ("the middle", len(good) // 2),
        ("the end", len(good) - 30),
    ):
        yield f"a workbook cut at {place}", good[:size]
    yield "a workbook with a broken middle", good[: len(good) // 2] + b"\0" * 200 + good[len(good) // 2 + 200 :]
    yield "an archive of something else", archive({"readme.txt": b"hello"})
    yield "an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000


def archive(parts: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as target:
        for name, data in parts.items():
            target.writestr(name, data)
    return content.getvalue()


CORPUS: dict[str, bytes] = dict(
    part for make in (_encodings, _ends, _quotes, _shapes, _values, _workbooks) for part in make()
)
