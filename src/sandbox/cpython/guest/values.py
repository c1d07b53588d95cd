"""Python values as exact JSON text."""

import json
import math

import conversions

MAX_DEPTH = 64
# As maxCheckedValues of shared/json.ts: the host takes no more in a call's arguments.
MAX_VALUES = 250_000
# How many conversions of one type are named, and how many in all.
_MAX_NAMED = 10
_MAX_CONVERSIONS = 100
_MAX_PATH = 200

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class NotJson(ValueError):
    """The value is not a JSON value; the message begins with the path of the place."""


class TooMany(NotJson):
    """The value has more members than are taken."""


def arguments_to_json(value):
    """JSON text of a call's arguments, every digit kept; NotJson names the place of what cannot cross."""
    return _encode(_Walk(MAX_VALUES, None).plain(value, "$", 0))


def result_to_json(value, max_values):
    """JSON text of a program's value, and its conversions as (path, type).

    What is no number becomes null, which is a conversion like others.
    """
    found = _Conversions()
    return _encode(_Walk(max_values, found).plain(value, "$", 0)), found.named


def _encode(value):
    try:
        return _encoder.encode(value)
    except (ValueError, RecursionError) as error:  # an integer of more digits than Python will print
        raise NotJson("$: " + str(error)) from None


class _Conversions:
    """What was converted: the first of each type."""

    def __init__(self):
        self.named = []
        self._counts = {}

    def add(self, path, name):
        count = self._counts.get(name, 0)
        if count == _MAX_NAMED or len(self.named) == _MAX_CONVERSIONS:
            return
        self._counts[name] = count + 1
        self.named.append((path[:_MAX_PATH], name))


class _Walk:
    """One walk through a value, which gives it as what JSON has."""

    def __init__(self, max_values, found):
        self._max_values = max_values
        self._found = found
        self._count = 1
        self._parents = set()

    def plain(self, value, path, depth):
        """The value, and all in it, as None, bool, int, float, str, list and dict."""
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return _checked_text(value, path)
        if kind is int:
            return _checked_integer(value, path)
        if kind is float:
            return self._number(value, path)
        if kind is list or kind is dict:
            return self._container(value, path, depth)
        return self._other(value, kind, path, depth)

    def _other(self, value, kind, path, depth):
        if hasattr(kind, "forgotten"):  # a tool call that was not awaited
            raise value.forgotten()
        row = conversions.find(kind)
        if row is None:
            if isinstance(value, str):
                return _checked_text(value, path)
            if isinstance(value, float):
                return self._number(float(value), path)
            if isinstance(value, int):
                return _checked_integer(value, path)
            if isinstance(value, (list, tuple, dict)):
                return self._container(value, path, depth)
            hint = ": add await" if hasattr(kind, "__await__") else ""
            raise NotJson("%s: %s is not a JSON value%s" % (path, kind.__name__, hint))
        if depth >= MAX_DEPTH:
            raise _too_deep(path)
        converted = _convert(row, value, path)
        self._converted(path, kind.__name__)
        if hasattr(type(converted), "__next__"):
            return self._drawn(converted, path, depth)
        return self.plain(converted, path, depth + 1)

    def _converted(self, path, name):
        if self._found is not None:
            self._found.add(path, name)

    def _number(self, value, path):
        if math.isfinite(value):
            return value
        if self._found is None:
            raise NotJson("%s: %r is not a JSON number" % (path, value))
        self._converted(path, repr(value))
        return None

    def _container(self, value, path, depth):
        if id(value) in self._parents:
            raise NotJson(path + ": the value contains itself")
        if depth >= MAX_DEPTH:
            raise _too_deep(path)
        self._take(len(value) + 1, path)
        self._parents.add(id(value))
        if isinstance(value, dict):
            plain = self._members(value, path, depth + 1)
        else:
            plain = self._items(value, path, depth + 1)
        self._parents.discard(id(value))
        return plain

    def _items(self, items, path, depth):
        return [item if _is_plain(item) else self.plain(item, "%s[%d]" % (path, index), depth)
                for index, item in enumerate(items)]

    def _drawn(self, iterator, path, depth):
        """What an iterator gives, which may never end. What it raises is the program's own exception."""
        items = []
        self._take(1, path)
        for item in iterator:
            self._take(1, path)
            items.append(self.plain(item, "%s[%d]" % (path, len(items)), depth + 1))
        return items

    def _members(self, members, path, depth):
        plain = {}
        for key, item in members.items():
            name = key if type(key) is str else self._name(key, path)
            _checked_text(name, path)
            if name in plain:
                raise NotJson("%s: two keys are written %s" % (path, _short(name)))
            plain[name] = item if _is_plain(item) else self.plain(item, path + _step(name), depth)
        return plain

    def _name(self, key, path):
        """How a key is written: as json.dumps does, and where its type has a row that gives text, as that."""
        if isinstance(key, str) and conversions.find(type(key)) is None:
            return str.__str__(key)
        plain = key
        for _ in range(2):  # an Enum's value may have a row of its own
            row = conversions.find(type(plain))
            plain = plain if row is None else _convert(row, plain, path)
        if isinstance(plain, str):
            name = str.__str__(plain)
        elif plain is None or isinstance(plain, (bool, int, float)):
            name = json.dumps(plain)
        else:
            message = "%s: the key %s is %s, not text, a number, a boolean or None"
            raise NotJson(message % (path, _short(key), type(key).__name__))
        self._converted(path + _step(name), "key of type " + type(key).__name__)
        return name

    def _take(self, count, path):
        """Counts values; a container counts once more than as the value that it is."""
        self._count += count
        if self._count > self._max_values:
            raise TooMany("%s: more than %d values" % (path[:_MAX_PATH], self._max_values))


def _is_plain(value):
    """Whether nothing can be wrong with a value: saves most their path."""
    kind = type(value)
    if kind is str:
        return value.isascii()
    if kind is int:
        return -(2**63) < value < 2**63
    if kind is float:
        return value - value == 0  # neither NaN nor infinite
    return value is None or kind is bool


def _convert(row, value, path):
    try:
        return row(value)
    except conversions.Unfit as error:
        raise NotJson("%s: %s" % (path, error)) from None
    except MemoryError:
        raise
    except Exception as error:
        message = "%s: %s cannot be converted: %s"
        raise NotJson(message % (path, type(value).__name__, type(error).__name__)) from error


def _too_deep(path):
    return NotJson("%s: nested deeper than %d" % (path[:_MAX_PATH], MAX_DEPTH))


def _checked_integer(value, path):
    # Readers of JSON hold a number of more than 308 digits to be infinite, whatever its digits.
    if value.bit_length() > 1023:
        try:
            float(value)
        except OverflowError:
            raise NotJson(path + ": the integer is out of range, at most 308 digits are taken") from None
    return value


def _checked_text(text, path):
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise NotJson(path + ": the text has a lone surrogate") from None
    return text


def _step(key):
    return "." + key if key.isidentifier() else "[" + json.dumps(key[:64]) + "]"


def _short(key):
    try:
        return repr(key)[:64]
    except Exception:  # a guest's own __repr__
        return "of type " + type(key).__name__
