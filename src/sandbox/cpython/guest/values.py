"""Python values as exact JSON text."""

import json
import math

MAX_DEPTH = 64
# As maxCheckedValues of shared/json.ts: the host takes no more.
MAX_VALUES = 250_000

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class NotJson(ValueError):
    """The value is not a JSON value; the message begins with the path of the place."""


def to_json(value):
    """JSON text of a value, every digit kept; NotJson names the place of what JSON cannot hold."""
    _check(value, "$", 0, _Parents())
    try:
        return _encoder.encode(value)
    except (ValueError, RecursionError) as error:  # an integer of more digits than Python will print
        raise NotJson("$: " + str(error)) from None


class _Parents(set):
    """The containers around a value, by identity, and how many values have been seen."""

    count = 0


def _check(value, path, depth, parents):
    kind = type(value)
    parents.count += 1
    if value is None or kind is bool:
        return
    if kind is str or isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NotJson("%s: %r is not a JSON number" % (path, value))
    elif isinstance(value, int):
        _check_integer(value, path)
    elif isinstance(value, (list, tuple)):
        _enter(value, path, depth, parents)
        for index, item in enumerate(value):
            _check(item, "%s[%d]" % (path, index), depth + 1, parents)
        parents.discard(id(value))
    elif isinstance(value, dict):
        _enter(value, path, depth, parents)
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotJson("%s: the key %s is %s, not str" % (path, _short(key), type(key).__name__))
            _check_text(key, path)
            _check(item, path + _step(key), depth + 1, parents)
        parents.discard(id(value))
    else:
        if hasattr(kind, "forgotten"):  # a tool call that was not awaited
            raise value.forgotten()
        raise NotJson("%s: %s is not a JSON value" % (path, kind.__name__))


def _enter(value, path, depth, parents):
    if id(value) in parents:
        raise NotJson(path + ": the value contains itself")
    if depth >= MAX_DEPTH:
        raise NotJson("%s: nested deeper than %d" % (path[:200], MAX_DEPTH))
    parents.add(id(value))
    parents.count += 1
    if parents.count + len(value) > MAX_VALUES:
        raise NotJson("%s: more than %d values" % (path[:200], MAX_VALUES))


def _check_integer(value, path):
    # Readers of JSON hold a number of more than 308 digits to be infinite, whatever its digits.
    if value.bit_length() > 1023:
        try:
            float(value)
        except OverflowError:
            raise NotJson(path + ": the integer is out of range, at most 308 digits are taken") from None


def _check_text(text, path):
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise NotJson(path + ": the text has a lone surrogate") from None


def _step(key):
    return "." + key if key.isidentifier() else "[" + json.dumps(key[:64]) + "]"


def _short(key):
    try:
        return repr(key)[:64]
    except Exception:  # a guest's own __repr__
        return "of type " + type(key).__name__
