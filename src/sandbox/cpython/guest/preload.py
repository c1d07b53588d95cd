"""What the zygote loads and learns before its first fork, so that no guest has to."""

import ctypes
import importlib
import importlib.machinery
import os
import sys
import sysconfig

import ending
import library
import loops
import modules
import places
import semaphore
import stacks
import tools

_ZONE_INFO = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
_FOREIGN = ("site-packages", "dist-packages")


def load():
    """Imports what programs commonly use."""
    modules.load()
    # Resolve now what would be looked up in files later.
    importlib.import_module("encodings.idna")
    for library in ("libgcc_s.so.1",):  # pthread_exit loads it, and aborts where it cannot
        try:
            ctypes.CDLL(library)
        except OSError:
            pass


def prepare():
    """Teaches the interpreter what a guest has in another form, or follows."""
    places.follow()
    loops.nest()
    tools.teach_json()
    stacks.follow()
    semaphore.replace()
    library.prepare(tools.ToolCall)
    library.prepare_for_lock()
    ending.prepare()


def readable_paths(site_packages):
    """What guests may read: the standard library entry by entry (never what was installed beside
    it), the shared libraries that its extension modules need, under all their names, time zones,
    and `site_packages`."""
    paths = set(site_packages)
    for root in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        if root and os.path.isdir(root):
            paths.update(
                os.path.join(root, entry) for entry in os.listdir(root) if entry not in _FOREIGN
            )
    paths.update(path for path in sys.path if path.endswith(".zip") and os.path.exists(path))
    for library in _shared_libraries():
        paths.update(_names_of(library))
    paths.update(path for path in _ZONE_INFO if os.path.isdir(path))
    if os.path.exists("/etc/ld.so.cache"):
        paths.add("/etc/ld.so.cache")
    return sorted(paths)


def _shared_libraries():
    """Files of the shared libraries that all extension modules resolve to, as the loader of this
    machine finds them: a child loads each module's file and reads its own memory map."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            for path in _extension_files():
                try:
                    ctypes.CDLL(path)
                except OSError:
                    pass  # needs a library that this machine does not have
            with open("/proc/self/maps") as maps, os.fdopen(writer, "w") as out:
                for line in maps:
                    fields = line.split(None, 5)
                    if len(fields) == 6 and ".so" in fields[5]:
                        out.write(fields[5])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as lines:
        found = {line.strip() for line in lines}
    os.waitpid(child, 0)
    return {path for path in found if os.path.isfile(path)}


def _names_of(library):
    """Its own path, and those of the symbolic links to it that stand beside it."""
    yield library
    with os.scandir(os.path.dirname(library)) as entries:
        for entry in entries:
            if ".so" in entry.name and entry.is_symlink() and os.path.realpath(entry.path) == library:
                yield entry.path


def _extension_files():
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    for directory in sys.path:
        if os.path.basename(directory) == "lib-dynload" and os.path.isdir(directory):
            for entry in sorted(os.listdir(directory)):
                if entry.endswith(suffixes):
                    yield os.path.join(directory, entry)


def limit_malloc_arenas():
    """One heap for all threads: each further one would reserve 64 MiB of the guest's address space."""
    try:
        ctypes.CDLL(None).mallopt(-8, 1)  # M_ARENA_MAX of malloc.h
    except AttributeError:
        pass  # not glibc


def warm_path_caches():
    """Fills the import system's view of each directory on sys.path: guests may read the files in
    them but, where others' packages stand beside them, not list the directory itself."""
    for directory in sys.path:
        if os.path.isdir(directory):
            finder = sys.path_importer_cache.get(directory)
            if finder is None:
                finder = sys.path_hooks[-1](directory)
                sys.path_importer_cache[directory] = finder
            finder.find_spec("_codemode_nothing")
