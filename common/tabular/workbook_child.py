"""The child that parses a workbook: no network, no Django, one gigabyte and one minute of processor time.

``workbook_child.py sheets FILE`` prints the sheet names as JSON; ``rows FILE SHEET`` prints CSV, the row number first.
"""

import csv
import datetime
import json
import resource
import sys

MEMORY_BYTES = 2**30
CPU_SECONDS = 60


def as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return "" if value is None else str(value)


def main(arguments: list[str]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound  # under the limits

    output = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False)  # noqa: SIM115 - our stdout
    try:
        with CalamineWorkbook.from_path(arguments[1]) as workbook:
            if arguments[0] == "sheets":
                json.dump(workbook.sheet_names, output)
            else:
                writer = csv.writer(output)
                sheet = workbook.get_sheet_by_name(arguments[2])
                first = (sheet.start or (0, 0))[0] + 1
                for number, row in enumerate(sheet.to_python(skip_empty_area=True), start=first):
                    cells = [as_text(value) for value in row]
                    if any(cells):
                        writer.writerow([number, *cells])
    except WorksheetNotFound:
        sys.stderr.write("unreadable: The workbook has no such sheet. Choose one of the sheets it has.\n")
        return 2
    except CalamineError:
        sys.stderr.write(
            "unreadable: This workbook is damaged. Open it in your spreadsheet program, save it again, and upload that file.\n"
        )
        return 2
    except BrokenPipeError:
        return 0
    output.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
