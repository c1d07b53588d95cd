"""What programs see of tools: `tools.weather(location="NYC")`, `tools["weather"].run(...)`."""

import asyncio
import difflib
import json
import keyword

import places
from calls import ToolError

_META = ("__list__", "__schema__", "__search__")
_MAX_NAME = 1024  # what the host takes; no tool has a longer name
_MAX_SHOWN = 128


class ToolCall:
    """A call that has been sent. Await it for the tool's value."""

    __slots__ = ("_future", "_name")

    def __init__(self, future, name):
        self._future = future
        self._name = name

    def __await__(self):
        return asyncio.wrap_future(self._future).__await__()

    def __repr__(self):
        return "<call of the tool %s: add await for its value>" % self._name

    def forgotten(self):
        """The error for a call that is used as if it were its value."""
        return ToolError(
            "this is a call of the tool %s, not its value: add await, or use .run_sync" % self._name,
            self._name,
            "invalid_arguments",
        )

    def _misused(self, /, *_args, **_kwargs):
        raise self.forgotten()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.forgotten()

    def __setattr__(self, name, value):
        if name not in ToolCall.__slots__:
            raise self.forgotten()
        object.__setattr__(self, name, value)

    __call__ = __setitem__ = __delitem__ = __next__ = __reversed__ = __abs__ = __round__ = _misused
    __pow__ = __rpow__ = __rmod__ = __rfloordiv__ = __and__ = __or__ = __xor__ = __matmul__ = _misused
    __getitem__ = __iter__ = __len__ = __contains__ = __bool__ = _misused
    __str__ = __format__ = __int__ = __float__ = __index__ = _misused
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = _misused
    __truediv__ = __rtruediv__ = __floordiv__ = __neg__ = _misused
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _misused
    __hash__ = object.__hash__


class Tool:
    """One tool. Calling it blocks where no event loop runs, and gives an awaitable within one,
    unless the tool is declared to be always one or the other."""

    __slots__ = ("_calls", "_name", "_form", "_signature", "_parameters", "_required", "_nulls")

    def __init__(self, calls, name, form="auto", signature="", parameters=None, required=(), nulls=((), ())):
        self._calls = calls
        self._name = name
        self._form = form
        self._signature = signature or name + "(...)"
        self._parameters = parameters
        self._required = required
        self._nulls = nulls  # names that are None where absent, and those that are absent where None

    def run(self, /, *args, **kwargs):
        """Calls the tool in the form that the place asks for."""
        if self._form == "async" or (self._form == "auto" and asyncio._get_running_loop() is not None):
            return self.run_async(*args, **kwargs)
        return self.run_sync(*args, **kwargs)

    __call__ = run

    def run_sync(self, /, *args, **kwargs):
        """Calls the tool and blocks until its value is there, wherever that is."""
        future = self._start(args, kwargs)
        try:
            return future.result()
        except ToolError as error:
            # Without the frames of this file: what failed is the program's own line.
            raise error.with_traceback(None) from None

    def run_async(self, /, *args, **kwargs):
        """Starts the call at once; gives an awaitable of its value."""
        return ToolCall(self._start(args, kwargs), self._name)

    def __repr__(self):
        return "<tool %s>" % self._signature

    def _start(self, args, kwargs):
        arguments = self._bind(args, kwargs)
        return self._calls.start(self._name, arguments, places.current().next_call())

    def _bind(self, args, kwargs):
        """The arguments by name; a call that cannot fit is refused with the signature."""
        arguments = self._named(args, kwargs)
        filled, dropped = self._nulls
        for name in filled:
            arguments.setdefault(name)
        for name in dropped:
            if name in arguments and arguments[name] is None:
                del arguments[name]
        return arguments

    def _named(self, args, kwargs):
        if self._parameters is None:
            if args:
                raise self._misfit("takes arguments by name only")
            return kwargs
        if len(args) > len(self._parameters):
            raise self._misfit("got %d arguments" % len(args))
        arguments = dict(zip(self._parameters, args))
        for name, value in kwargs.items():
            if name in arguments:
                raise self._misfit("got the argument %r twice" % name)
            if name not in self._parameters:
                near = difflib.get_close_matches(name, self._parameters, 1)
                hint = ", did you mean %r?" % near[0] if near else ""
                raise self._misfit("has no argument %r%s" % (name, hint))
            arguments[name] = value
        missing = [name for name in self._required if name not in arguments]
        if missing:
            raise self._misfit("is missing %s" % ", ".join(map(repr, missing)))
        return arguments

    def _misfit(self, fault):
        message = "%s %s; it is %s" % (self._name, fault, self._signature)
        return ToolError(message, self._name, "invalid_arguments")


class Tools:
    """The tools of this execution, by attribute or by subscript. Has no names of its own that
    could hide a tool's."""

    __slots__ = ("_tools", "_calls", "_has_more")

    def __init__(self, calls, declarations, has_more):
        tools = {
            declared["name"]: Tool(
                calls,
                declared["name"],
                declared["callForm"],
                declared["signature"],
                declared["parameters"],
                declared["required"],
                (declared.get("nullWhenAbsent", ()), declared.get("absentWhenNull", ())),
            )
            for declared in declarations
        }
        for name in _META:
            tools[name] = Tool(calls, name)
        object.__setattr__(self, "_tools", tools)
        object.__setattr__(self, "_calls", calls)
        object.__setattr__(self, "_has_more", has_more)

    def __getitem__(self, name):
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is not None:
            return tool
        if self._has_more and isinstance(name, str) and len(name) <= _MAX_NAME:
            return Tool(self._calls, name)  # a tool service may have it by now; the host will say
        shown = name[:_MAX_SHOWN] if isinstance(name, str) else name
        near = difflib.get_close_matches(str(shown), list(self), 3)
        if near:
            hint = "did you mean %s?" % " or ".join(map(repr, near))
        elif len(self) == 0:
            hint = "this execution has no tools"
        else:
            hint = "tools['__search__'].run(query=...) finds tools"
        raise ToolError("there is no tool %r: %s" % (shown, hint), str(shown), "not_granted")

    def __getattr__(self, name):
        if name == "__all__":  # from tools import *
            return [tool for tool in self if tool.isidentifier() and not keyword.iskeyword(tool)]
        if name.startswith("__") and name not in _META:
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name, _value):
        raise TypeError("tools are read-only")

    def __iter__(self):
        return (name for name in self._tools if name not in _META)

    def __len__(self):
        return len(self._tools) - len(_META)

    def __contains__(self, name):
        return name in self._tools

    def __repr__(self):
        return "<tools: %s>" % ", ".join(self)


def teach_json():
    """json.dumps of a call that was not awaited says so. For the zygote."""
    default = json.JSONEncoder.default

    def default_or_forgotten(self, value):
        if isinstance(value, ToolCall):
            raise value.forgotten()
        return default(self, value)

    json.JSONEncoder.default = default_or_forgotten
