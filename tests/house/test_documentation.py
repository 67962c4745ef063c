"""Everything that the documentation shows happens: doctests, examples, printed output, links."""

import doctest
import importlib
import pkgutil
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

import arrangements
import cvxlayer
from arrangements.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODULES = sorted(
    name
    for package in (arrangements, cvxlayer)
    for _, name, _ in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if not name.endswith("__main__")
)


def blocks(page, language):
    """Text and first line number of the page's fenced blocks in one language."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        if match[1] == language:
            yield match[2], text.count("\n", 0, match.start(2)) + 1


def run_page(page):
    """Run the page's Python blocks in order and in one namespace, as a reader would."""
    names = {"__name__": "__main__"}
    for code, line in blocks(page, "python"):
        if code.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line - 1)
            out = []
            # clear_globs=False: later blocks use the names of earlier ones.
            doctest.DocTestRunner().run(test, out=out.append, clear_globs=False)
            names.update(test.globs)
            assert not out, "".join(out)
        else:
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)


def commands(page):
    """(arguments, output) of every `$ arrangements ...` in the page's console blocks."""
    for text, _ in blocks(page, "console"):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            program, *arguments = command.split()
            if program == "arrangements":
                yield arguments, output


def timeless(output):
    """The words of the output without what differs from run to run or between machines."""
    names = "time|chambers per second|peak memory|relative gap|rounds"
    words = re.sub(rf"(?m)^({names}) .*$", r"\1", output).split()
    return [word.strip("(),") for word in words]


def agree(printed, shown):
    """Whether two words are equal, or one apart in the last digit shown of a number with a point:
    floats that differ by their rounding alone may be printed so."""
    try:
        apart = abs(Decimal(printed) - Decimal(shown))
    except InvalidOperation:
        return printed == shown
    unit = Decimal(shown).as_tuple().exponent
    return printed == shown or (unit < 0 and apart <= Decimal(10) ** unit)


def failed_doctests(module):
    return doctest.testmod(importlib.import_module(module)).failed


@pytest.mark.parametrize("module", ["arrangements", "cvxlayer", *MODULES])
def test_doctests_of_a_module(module):
    if module.startswith("cvxlayer.conic.solvers."):  # adapters of what need not be installed
        pytest.importorskip({"glop": "ortools", "pdlp": "ortools", "_ortools": "ortools"}.get(
            name := module.rpartition(".")[2], name))
    assert failed_doctests(module) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_print_what_it_shows(page, capsys, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    for arguments, output in commands(page):
        assert main(arguments) == 0
        printed, shown = timeless(capsys.readouterr().out), timeless(output)
        assert [p for p, s in zip(printed, shown, strict=True) if not agree(p, s)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\((?!\w+:)([^)#\s]+)", text)
    # Outside a checkout only some folders are there.
    known = [link for link in links if (page.parent / link).parent.is_dir()]
    assert [link for link in known if not (page.parent / link).exists()] == []


def test_a_wrong_example_is_noticed(tmp_path):
    page = tmp_path / "wrong.md"
    for code, error in [
        ("x = 1\nassert x == 2\n", AssertionError),
        (">>> 1 + 1\n3\n", AssertionError),
        ("import nothing_of_this_name\n", ImportError),
    ]:
        page.write_text(f"Text.\n\n```python\n{code}```\n", encoding="utf-8")
        with pytest.raises(error):
            run_page(page)
    page.write_text("```python\nx = 3\n```\n\n```python\n>>> x\n3\n```\n", encoding="utf-8")
    run_page(page)


def test_only_the_last_digit_of_a_rounded_number_may_differ():
    for printed, shown in [("0.814699", "0.814699"), ("0.8147", "0.814699"), ("iris", "iris"),
                           ("2.1e+00", "2.2e+00"), ("898,532", "898,532"), ("150", "150")]:
        assert agree(printed, shown)
    for printed, shown in [("0.814697", "0.814699"), ("iris", "wine"), ("898,533", "898,532"),
                           ("151", "150"), ("2.1e+00", "2.1e+01"), ("0.5", "yes"), ("8.", "0.8")]:
        assert not agree(printed, shown)
