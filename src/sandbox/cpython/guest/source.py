"""From a program's text to code that runs. What parses as it stands runs as it stands; only otherwise
are its fences (see service/source.ts) and its indentation taken off. Lines keep their numbers."""

import ast
import io
import linecache
import os

import returns

FILENAME = "<program>"

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Unparsable(Exception):
    """The program does not parse; the cause says why."""


class Code:
    """A program that can run: its statements, its last expression or None, and what its `return`s
    at the top level gave, or None where it has none."""

    __slots__ = ("body", "last", "returned")

    def __init__(self, text, tree):
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self.returned = returns.allow(tree, FILENAME) if "return" in text else None
        self.body = compile(tree, FILENAME, "exec", _FLAGS, dont_inherit=True)
        self.last = last and compile(
            ast.Expression(last.value), FILENAME, "eval", _FLAGS, dont_inherit=True
        )


def compiled(program):
    """The code of a program as the host sends it. Unparsable where no reading of its text parses."""
    text = program["code"]
    _show(text)
    try:
        text, tree = _read(text, program.get("unfenced"))
        _show(text)
        return Code(text, tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, SyntaxError) and error.text is None and error.lineno:
            error.text = linecache.getline(FILENAME, error.lineno)
        raise Unparsable() from error


def _read(text, unfenced):
    """The first reading that parses, as text and tree; the error of the one that got furthest."""
    faults = []
    for reading in (text,) if unfenced is None else (text, unfenced["code"]):
        fault = None
        while reading is not None:
            try:
                return reading, ast.parse(reading, FILENAME)
            except SyntaxError as error:
                faults.append((error.lineno or 0, len(faults), reading, error))
                reading = None if fault else _without_indent(reading, error)
                fault = error
        if unfenced is not None and unfenced["fault"]:
            raise _fault(unfenced, text)
    _line, _index, reading, error = max(faults)
    _show(reading)
    raise error


def _fault(unfenced, text):
    _show(text)
    line = unfenced["line"]
    return SyntaxError(unfenced["fault"], (FILENAME, line, 1, text.split("\n")[line - 1]))


def _without_indent(text, error):
    """The text without the indent of its first line of code, or of all that follow a flush one; None
    where it has none to take off."""
    lines = text.split("\n")
    indents = [_indent(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    indent = indents[0] if indents else ""
    if not indent and isinstance(error, IndentationError):
        indent = os.path.commonprefix(indents[1:])
    if not indent:
        return None
    return "\n".join(line[len(indent):] if line.startswith(indent) else line for line in lines)


def _indent(line):
    return line[:len(line) - len(line.lstrip(" \t"))]


def _show(text):
    """What tracebacks show as the program's lines."""
    # Lines as the parser counts them, which takes neither a form feed nor U+2028 for an end.
    lines = io.StringIO(text, newline=None).readlines()
    linecache.cache[FILENAME] = (len(text), None, lines, FILENAME)
