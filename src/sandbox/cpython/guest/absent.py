"""An import that finds nothing says what there is instead."""

import difflib
import pkgutil
import sys

_MAX_NAMES = 10

_packages = []


def add_packages(folders):
    """Lets programs import what these folders hold. For the zygote."""
    sys.path.extend(folders)
    _packages.extend(sorted(module.name for module in pkgutil.iter_modules(folders) if module.name[0] != "_"))


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
        known = [module for module in (*library, *_packages) if module[0] != "_"]
        near = difflib.get_close_matches(name, known, 1, 0.8)
        if near and near[0] != name:
            return "did you mean %r?" % near[0]
        packages = _listed("the packages", _packages) or "no packages"
        tools = _listed("the tools", ["tools." + tool for tool in self._tools]) or "no tools"
        return "there are the modules of the standard library, %s, and %s" % (packages, tools)


def _listed(what, names):
    shown = ", ".join(names[:_MAX_NAMES])
    more = " and %d more" % (len(names) - _MAX_NAMES) if len(names) > _MAX_NAMES else ""
    return "%s %s%s" % (what, shown, more) if names else ""
