"""Lines of Cython and of kernels.h that ran: `python tests/kernel_coverage.py FOLDER`.

FOLDER holds sources built with ARRANGEMENTS_BUILD=coverage, and what their runs have left. The
kernels run without the interpreter, so their lines are counted in C, by gcov; Cython writes before
each piece of C the line it stems from.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

FLOOR = 95.0  # percent
MARKER = re.compile(r'^\s*/\* "(arrangements/[\w/]+\.(?:pyx|pxd))":(\d+)$')


def origins(c_file):
    """For each line of a generated file, from 1 on, the file and line it stems from, or None."""
    out, at = [None], None
    for text in c_file.read_text().splitlines():
        found = MARKER.match(text)
        if found:
            at = found[1], int(found[2])
        elif text.startswith("}"):  # what follows belongs to no line until the next marker
            at = None
        out.append(at)
    return out


def counted(folder):
    """{file: {line: times}} over all compiled files."""
    times = defaultdict(lambda: defaultdict(int))
    for data in sorted(folder.resolve().rglob("*.gcda")):
        answer = subprocess.run(["gcov", "--json-format", "--stdout", str(data)],
                                capture_output=True, text=True, check=True, cwd=folder)
        for file in json.loads(answer.stdout)["files"]:
            name = file["file"]
            if name.endswith("kernels.h"):
                where = defaultdict(lambda: None, {
                    line["line_number"]: ("arrangements/walk/kernels.h", line["line_number"])
                    for line in file["lines"]})
            elif name.endswith(".c") and (folder / name).exists():
                where = origins(folder / name)
            else:
                continue
            for line in file["lines"]:
                if place := where[line["line_number"]]:
                    times[place[0]][place[1]] += line["count"]
    return times


def main(folder):
    total = ran = 0
    for file, lines in sorted(counted(Path(folder)).items()):
        missing = sorted(line for line, count in lines.items() if not count)
        total, ran = total + len(lines), ran + len(lines) - len(missing)
        print(f"{file:44} {len(lines):5} {len(missing):5} "
              f"{100 - 100 * len(missing) / len(lines):6.1f}%  {', '.join(map(str, missing))}")
    if not total:
        sys.exit(f"{folder} holds no counts: build with ARRANGEMENTS_BUILD=coverage, run the tests")
    print(f"{'TOTAL':44} {total:5} {total - ran:5} {100 * ran / total:6.1f}%")
    if 100 * ran / total < FLOOR:
        sys.exit(f"less than {FLOOR}% of the lines of the kernels ran")


if __name__ == "__main__":
    main(*sys.argv[1:])
