"""`return` at the top level of a program, where Python allows none.

A `return` leaves loops as `break` does: `finally` runs, `with` sees no exception, `except:` catches
nothing. So the program becomes the body of a loop that runs once, each `return` notes its value and
breaks, and a loop that was left by one is followed by another break. Its names stay the module's.
"""

import ast
import builtins

# No name that a program can write; in builtins, so that `globals()` does not have it.
_NAME = "<return>"

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)


class Returned:
    """What each loop was left with, by its number; the outermost stands for the program."""

    def __init__(self):
        self._values = {}

    @property
    def is_given(self):
        """Whether the program ended with a `return`."""
        return 0 in self._values

    @property
    def value(self):
        """A tuple of the value; empty after a `return` without one."""
        return self._values[0]

    def give(self, loop, *value):
        self._values[loop] = value

    def clear(self, loop):
        """A loop ends in another way: whatever `return` it had begun with is given up."""
        self._values.pop(loop, None)

    def passes(self, loop, outer):
        """Whether a loop was left by a `return`, which then leaves the loop around it."""
        if loop not in self._values:
            return False
        self._values[outer] = self._values.pop(loop)
        return True


def allow(tree, filename):
    """Makes the `return`s at the top level of a module's tree work; None where it has none."""
    if not _has_return(tree.body):
        return None
    head = 0
    while head < len(tree.body) and _must_come_first(tree.body[head]):
        head += 1
    body = _Rewriter(filename).rewritten(tree.body[head:])
    start = tree.body[head]
    end = [_call("clear", 0), ast.Break()]
    loop = ast.While(ast.Constant(True), body + [ast.copy_location(node, start) for node in end], [])
    tree.body[head:] = [ast.copy_location(loop, start)]
    ast.fix_missing_locations(tree)
    returned = Returned()
    setattr(builtins, _NAME, returned)
    return returned


def _must_come_first(node):
    """Whether it means something else within a loop."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _has_return(nodes):
    """Whether a `return` stands among statements and in no function or class of theirs."""
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Return):
            return True
        if not isinstance(node, _SCOPES):
            todo.extend(ast.iter_child_nodes(node))
    return False


class _Rewriter(ast.NodeTransformer):
    """Rewrites the statements of the top level that a `return` stands in."""

    def __init__(self, filename):
        self._filename = filename
        self._loop = 0  # the number of the loop that a `break` leaves here
        self._loops = 0

    def rewritten(self, nodes):
        found = []
        for node in nodes:
            made = self.visit(node)
            found.extend(made if isinstance(made, list) else [made])
        return found

    def visit(self, node):
        return node if isinstance(node, _SCOPES) else super().visit(node)

    def visit_Return(self, node):
        value = [] if node.value is None else [node.value]
        return _at(node, _call("give", self._loop, *value), ast.Break())

    def visit_Break(self, node):
        self._check_loop(node)
        return _at(node, _call("clear", self._loop), node)

    def visit_Continue(self, node):
        self._check_loop(node)
        return node

    def _check_loop(self, node):
        """The loop that runs once is none of the program's: Python refuses what would leave it."""
        if self._loop == 0:
            compile(ast.Module([node], []), self._filename, "exec")

    def visit_For(self, node):
        if not _has_return(node.body):
            node.orelse = self.rewritten(node.orelse)
            return node
        outer = self._loop
        self._loops += 1
        self._loop = self._loops
        node.body = self.rewritten(node.body)
        ended = _at(node, _call("clear", self._loop))
        passes = _at(node, ast.If(_ask("passes", self._loop, outer), [ast.Break()], []))
        self._loop = outer
        node.orelse = ended + self.rewritten(node.orelse)
        return [node] + passes

    visit_AsyncFor = visit_While = visit_For


def _at(place, *nodes):
    return [ast.copy_location(node, place) for node in nodes]


def _call(method, *arguments):
    return ast.Expr(_ask(method, *arguments))


def _ask(method, *arguments):
    function = ast.Attribute(ast.Name(_NAME, ast.Load()), method, ast.Load())
    given = [value if isinstance(value, ast.AST) else ast.Constant(value) for value in arguments]
    return ast.Call(function, given, [])
