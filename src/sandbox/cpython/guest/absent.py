"""An import that finds nothing says what there is instead."""

import difflib
import sys

_MAX_NAMES = 10


class Absent:
    """The last of the finders of modules: asked for what no other has."""

    def __init__(self, tools):
        self._tools = tools

    def find_spec(self, name, path=None, target=None):
        # importlib.util.find_spec asks too, and wants no error.
        if path is None and sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
            raise ModuleNotFoundError("No module named %r: %s" % (name, self._instead(name)), name=name)

    def _instead(self, name):
        if name in self._tools:
            return "%s is a tool, call tools.%s(...)" % (name, name)
        library = getattr(sys, "stdlib_module_names", ())  # new in Python 3.10
        near = difflib.get_close_matches(name, [known for known in library if known[0] != "_"], 1, 0.8)
        if near and near[0] != name:
            return "did you mean %r?" % near[0]
        names = list(self._tools)
        shown = ", ".join("tools.%s" % tool for tool in names[:_MAX_NAMES])
        if len(names) > _MAX_NAMES:
            shown += " and %d more" % (len(names) - _MAX_NAMES)
        return "there are the modules of the standard library, and %s" % (
            "the tools %s" % shown if names else "no tools"
        )
