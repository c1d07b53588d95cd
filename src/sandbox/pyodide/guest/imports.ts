import { errnos, type ImportedFunction, type ImportedFunctions } from "./emscripten.ts";

// What WebAssembly code may call of Emscripten's own JavaScript: clocks, and files in memory.
const open = new Set(
  `emscripten_date_now emscripten_get_now clock_res_get clock_time_get _tzset_js _timegm_js _mktime_js
  _localtime_js _gmtime_js random_get environ_sizes_get environ_get emscripten_get_heap_max
  emscripten_runtime_keepalive_push emscripten_runtime_keepalive_pop _emscripten_runtime_keepalive_clear
  _emscripten_get_progname __call_sighandler _PyEM_TrampolineCall_JS _Py_emscripten_runtime
  fd_close fd_read fd_write fd_sync fd_fdstat_get fd_seek fd_pread fd_pwrite
  _mmap_js _munmap_js _msync_js __syscall_fcntl64 __syscall_openat __syscall_faccessat __syscall_chdir
  __syscall_chmod __syscall_fchownat __syscall_dup __syscall_dup3 __syscall_fchdir __syscall_fchmod
  __syscall_fchmodat2 __syscall_fchown32 __syscall_fdatasync __syscall_fstat64 __syscall_stat64
  __syscall_newfstatat __syscall_lstat64 __syscall_ftruncate64 __syscall_getcwd __syscall_getdents64
  __syscall_mkdirat __syscall_poll __syscall_fadvise64 __syscall_readlinkat __syscall_unlinkat
  __syscall_rmdir __syscall_renameat __syscall_statfs64 __syscall_fstatfs64 __syscall_symlinkat
  __syscall_truncate64 __syscall_utimensat`.split(/\s+/),
);

// Answered with an error: sockets, pipes (their bytes lie outside of WebAssembly memory), devices,
// shells, timers.
const refused = new Set(
  `__syscall_accept4 __syscall_bind __syscall_connect __syscall_getpeername __syscall_getsockname
  __syscall_getsockopt __syscall_listen __syscall_recvfrom __syscall_recvmsg __syscall_sendmsg
  __syscall_sendto __syscall_socket __syscall_pipe __syscall_mknodat __syscall_ioctl
  __syscall_fallocate _setitimer_js _emscripten_system`.split(/\s+/),
);

const failedLookup = -4; // EAI_FAIL of netdb.h
const noValue = Symbol("an exception, where a JavaScript value is expected");

/** What this process puts in the place of Emscripten's own functions. */
export interface Host {
  /** Makes WebAssembly memory larger; whether it did. */
  grow(bytes: number): boolean;
  /** The program has left, by its own will or not. Does not return. */
  end(detail: string): never;
}

/**
 * Takes from WebAssembly code every function that is not needed to run Python on files in memory: in
 * place, so that nothing looked up later finds the original. A call of a closed one ends the process.
 */
export function closeImports(functions: ImportedFunctions, host: Host): void {
  const own: Readonly<Record<string, (...args: readonly number[]) => unknown>> = {
    emscripten_resize_heap: (bytes = 0) => (host.grow(bytes >>> 0) ? 1 : 0),
    proc_exit: (status) => host.end(`status ${status}`),
    exit: (status) => host.end(`status ${status}`),
    _abort_js: () => host.end("abort"),
    // The asynchronous sockets of Pyodide: there is none, the synchronous way is taken (and refused).
    _maybe_connect_async: () => null,
    _maybe_recvfrom_async: () => null,
    _maybe_sendto_async: () => null,
    _maybe_poll_async: () => null,
    _try_fcntl64: () => 0,
    _try_shutdown: () => 0,
    _Py_CheckEmscriptenSignals_Helper: () => 0,
    getaddrinfo: () => failedLookup,
    getnameinfo: () => failedLookup,
    getprotobyname: () => 0,
    _dlopen_js: () => 0,
    // The table of JavaScript values, which is set up and stays empty.
    __hiwire_deduplicate_new: () => null,
    // Emscripten asks the host for these; here nobody is anybody.
    __syscall_getuid32_js: () => 0,
    __syscall_umask_js: () => 0o022,
    Jsv_GetError_import: () => noValue,
    JsvError_Check: (value: unknown) => (value === noValue ? 1 : 0),
  };
  for (const name of new Set([...Object.keys(functions), ...Object.keys(own)])) {
    if (open.has(name)) continue;
    const original = functions[name];
    if (original !== undefined && typeof original !== "function") continue;
    const replacement = refused.has(name)
      ? () => -errnos.notPermitted
      : (own[name] ?? (() => host.end(`a closed function was called: ${name}`)));
    functions[name] = keepType(replacement, original);
  }
}

// Emscripten reads a function's type from it when it is put into the table of WebAssembly functions.
function keepType(
  replacement: (...args: readonly never[]) => unknown,
  original: ImportedFunction | undefined,
): ImportedFunction {
  const { sig, stub } = original ?? {};
  return Object.assign(replacement, sig === undefined ? {} : { sig }, stub && { stub });
}
