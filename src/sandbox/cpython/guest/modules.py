"""What programs commonly import, on every engine: loaded before the first of them."""

import importlib

_NAMES = (
    "abc array ast asyncio base64 bisect calendar collections collections.abc concurrent.futures "
    "contextlib copy csv dataclasses datetime decimal difflib enum fractions functools hashlib heapq "
    "hmac html inspect io itertools json linecache logging math operator os.path pathlib pickle pprint "
    "random re secrets shutil signal statistics string struct tempfile textwrap threading time "
    "traceback types typing unicodedata urllib.parse uuid warnings weakref zlib zoneinfo"
).split()


def load():
    """Imports them."""
    for name in _NAMES:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # a build without an optional module
