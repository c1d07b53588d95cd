"""Runs one program in a locked guest and says how it ended."""

import asyncio
import inspect
import json
import mmap
import random
import sys
import traceback
import types

import places
import source
from absent import Absent
from calls import ToolError
from source import FILENAME
from values import NotJson, TooMany, result_to_json

_MAX_TEXT = 256 * 1024
_MAX_MESSAGE = 8 * 1024
_MAX_NOTE = 1024
_MAX_LINE = 2**31 - 1
_MAX_TRACEBACK = 32 * 1024


class ReadOnly(dict):
    """A dict that tells programs that it cannot be changed. The host keeps the original anyway."""

    def _refuse(self, *_args, **_kwargs):
        raise TypeError("context and config are read-only")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __reduce__(self):
        return (dict, (dict(self),))

    def __copy__(self):
        return dict(self)

    def __deepcopy__(self, memo):
        import copy

        return copy.deepcopy(dict(self), memo)


class ResultTooLarge(ValueError):
    """The program's value is larger than a result may be."""


def run(program, tools, seed, max_result_bytes, wait_for_threads=lambda tell: False):
    """Runs a program. Gives the report of its end: a header for the host, and the value's JSON text.
    `wait_for_threads` waits for the program's threads, may tell before what it has by then, and gives
    whether there were any."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__.update(
        __file__=FILENAME,
        context=_read_only(program["context"]),
        config=_read_only(program["config"]),
        tools=tools,
        ToolError=ToolError,
    )
    if tools is not None:
        sys.modules["tools"] = tools
        sys.meta_path.append(Absent(tools))
    random.seed(seed)
    places.restart()
    # Counted by the memory limit and never touched: room to report that there is none left.
    ballast = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    value, failure = _attempt(lambda: _execute(source.compiled(program), module.__dict__), ballast)
    if failure is None:
        text, failure = _attempt(lambda: _text(value), ballast)
    has_waited = wait_for_threads(lambda: failure or _had(value, text))
    if failure is None and has_waited:  # they may have changed it: text and JSON say the same
        text, failure = _attempt(lambda: _text(value), ballast)
    if failure is None:
        completed, failure = _attempt(lambda: _completed(value, text, max_result_bytes), ballast)
    return failure or completed


def _attempt(step, ballast):
    """What a step gives and None, or None and the report of its failure."""
    try:
        return step(), None
    except SystemExit as error:
        return None, None if error.code is None or error.code == 0 else _failed(error, "exception")
    except source.Unparsable as error:
        return None, _failed(error.__cause__, "syntax")
    except MemoryError as error:
        ballast.close()
        return None, _failed(error, "memory")
    except BaseException as error:
        return None, _failed(error, "exception")


def _read_only(value):
    if isinstance(value, dict):
        return ReadOnly((key, _read_only(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(_read_only(item) for item in value)
    return value


def _execute(code, names):
    """The program's value: what it returns, otherwise `result` where it sets one, otherwise its last
    expression, awaited."""
    parts = (code.body, code.last)
    if any(part is not None and part.co_flags & inspect.CO_COROUTINE for part in parts):
        return asyncio.run(_execute_in_loop(code, names))
    exec(code.body, names)
    last = eval(code.last, names) if _goes_on(code) else None
    value = _value(code, last, names)
    return asyncio.run(_settled(value)) if inspect.isawaitable(value) else value


async def _execute_in_loop(code, names):
    await _maybe(eval(code.body, names), code.body)
    last = await _maybe(eval(code.last, names), code.last) if _goes_on(code) else None
    return await _settled(_value(code, last, names))


def _goes_on(code):
    return code.last is not None and not (code.returned and code.returned.is_given)


async def _maybe(value, code):
    return await value if code.co_flags & inspect.CO_COROUTINE else value


async def _settled(value):
    """The value at the end of a chain of awaitables."""
    while inspect.isawaitable(value):
        value = await value
    return value


def _value(code, last, names):
    if code.returned and code.returned.is_given and code.returned.value:
        return code.returned.value[0]
    return names["result"] if "result" in names else last


def _text(value):
    try:
        return _cut(str(value), _MAX_TEXT)
    except ToolError:
        raise  # a call that was not awaited
    except Exception as error:
        return "<%s: str() raised %s>" % (type(value).__name__, type(error).__name__)


def _had(value, text):
    """What a program has at its end, without its JSON."""
    return {"status": "completed", "text": text, "type": _type(value), "hasJson": False}, b""


def _type(value):
    return _cut(type(value).__name__, 256)


def _completed(value, text, max_bytes):
    converted, notes = [], []
    try:
        json_text, converted = result_to_json(value, max_bytes)
        data = json_text.encode("utf-8")
        if len(data) > max_bytes:
            return _too_large("%d bytes of JSON" % len(data), max_bytes)
    except TooMany:
        return _too_large("more than %d bytes of JSON" % max_bytes, max_bytes)
    except NotJson as error:
        data = None
        notes.append(_cut("the value has no JSON: %s" % error, _MAX_NOTE))
    header = {
        "status": "completed",
        "text": text,
        "type": _type(value),
        "hasJson": data is not None,
        "conversions": [{"path": _cut(path, _MAX_NOTE), "type": _cut(name, 256)} for path, name in converted],
        "notes": notes,
    }
    return header, data or b""


def _too_large(size, max_bytes):
    message = "the result is %s, at most %d are taken" % (size, max_bytes)
    return _failed(ResultTooLarge(message), "exception")


def _failed(error, reason):
    message = _message(error)
    header = {
        "status": "failed",
        "reason": reason,
        "type": _cut(type(error).__name__, 256),
        "message": _cut(message, _MAX_MESSAGE),
        "traceback": _cut(_traceback(error), _MAX_TRACEBACK),
        "line": _line(error),
    }
    return header, b""


def _message(error):
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception as nested:
        return "<str() raised %s>" % type(nested).__name__


def _line(error):
    """Line of the guest's source; 0 where there is none: an error can say anything of its place."""
    try:
        line = _own_line(error)
    except Exception:
        return 0  # a member of the program's own
    return line if type(line) is int and 0 < line <= _MAX_LINE else 0


def _own_line(error):
    """Where it does not parse, or the innermost frame of its own."""
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        return error.lineno or 0
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__)
             if frame.f_code.co_filename == FILENAME]
    return lines[-1] if lines else 0


def _traceback(error):
    """The traceback as Python prints it, with the guest's own frames only."""
    try:
        formatted = traceback.TracebackException.from_exception(error)
        _keep_own_frames(formatted, set())
        return "".join(formatted.format())
    except Exception as nested:  # a guest's exception class that breaks formatting
        return "<traceback: %s>" % type(nested).__name__


def _keep_own_frames(formatted, seen):
    if formatted is None or id(formatted) in seen:
        return
    seen.add(id(formatted))
    own = [frame for frame in formatted.stack if frame.filename == FILENAME]
    formatted.stack[:] = own
    _keep_own_frames(formatted.__cause__, seen)
    _keep_own_frames(formatted.__context__, seen)
    for nested in getattr(formatted, "exceptions", None) or ():
        _keep_own_frames(nested, seen)


def _cut(text, max_bytes):
    """The text without lone surrogates, at most `max_bytes` of UTF-8."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= max_bytes:
        return data.decode("utf-8")
    return data[:max_bytes - 3].decode("utf-8", "ignore") + "\u2026"


def report(header, data):
    """The payload of a RESULT frame: the header as one line of JSON, then the value's JSON text."""
    return json.dumps(header).encode("ascii") + b"\n" + data
