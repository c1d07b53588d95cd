"""What the standard library is taught so that programs meet it as they know it, under the lock. For the zygote."""

import _sitebuiltins
import builtins
import collections.abc
import importlib.machinery
import io
import os
import sys
import warnings

from source import FILENAME

_WRITING = os.O_WRONLY | os.O_RDWR
# Descriptor 0 of a guest: /dev/null, opened for both.
_NULL = 0


def prepare(awaitable):
    """What holds everywhere; `awaitable` is the type of tool calls that are under way."""
    _add_site_names()
    _name_the_program_in_warnings()
    # asyncio.run and create_task take it; what makes tasks wraps it.
    collections.abc.Coroutine.register(awaitable)


def prepare_for_lock():
    """What holds where no file can be opened for writing."""
    _open_null()
    sys.meta_path.insert(0, _SqliteFinder)


def _add_site_names():
    """What `site` adds for every Python program; it is not run, since it looks at folders of the host."""
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.help = _sitebuiltins._Helper()
    builtins.copyright = _sitebuiltins._Printer("copyright", sys.copyright)
    builtins.credits = _sitebuiltins._Printer(
        "credits", "Thanks to all who support Python development. See www.python.org for more information."
    )
    builtins.license = _sitebuiltins._Printer("license", "See https://www.python.org/psf/license/")


def _open_null():
    """Nothing can be opened for writing under the lock, and /dev/null is a duplicate of what is open."""
    open_file, open_descriptor = io.open, os.open

    def is_null(path):
        return isinstance(path, (str, bytes, os.PathLike)) and os.fspath(path) in (os.devnull, b"/dev/null")

    def open_or_null(file, mode="r", *args, **options):
        if is_null(file) and set(mode) & set("wax+"):
            options.pop("opener", None)
            return open_file(os.dup(_NULL), mode.replace("x", "w"), *args, **options)
        return open_file(file, mode, *args, **options)

    def open_descriptor_or_null(path, flags, *args, **options):
        if flags & _WRITING and is_null(path):
            return os.dup(_NULL)
        return open_descriptor(path, flags, *args, **options)

    builtins.open = io.open = open_or_null
    os.open = open_descriptor_or_null


def _name_the_program_in_warnings():
    """Warnings name the program's own line, and never a file of ours."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    warn_explicit, show = warnings.warn_explicit, warnings._showwarnmsg_impl

    def program_line():
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename != FILENAME:
            frame = frame.f_back
        return 0 if frame is None else frame.f_lineno

    def warn_unawaited(coroutine):
        code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "ag_code", None)
        line = program_line() or (code.co_firstlineno if code is not None else 0)
        message = "coroutine %r was never awaited" % coroutine.__qualname__
        warn_explicit(message, RuntimeWarning, FILENAME, line, source=coroutine)

    def show_own(message):
        if message.filename.startswith(own):
            message.filename, message.lineno, message.line = FILENAME, program_line(), ""
        show(message)

    warnings._warn_unawaited_coroutine = warn_unawaited
    warnings._showwarnmsg_impl = show_own


class _SqliteFinder:
    """Finds `_sqlite3`, which keeps what it sorts and journals in memory: there is no folder for it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "_sqlite3":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (execute(module), _keep_in_memory(module))[0]
        return spec


def _keep_in_memory(sqlite):
    connect = sqlite.connect

    def connect_in_memory(*args, **options):
        connection = connect(*args, **options)
        try:
            connection.execute("PRAGMA temp_store = MEMORY").close()
        except sqlite.Error:
            pass  # a transaction is open from the start
        return connection

    connect_in_memory.__doc__ = connect.__doc__
    sqlite.connect = connect_in_memory
