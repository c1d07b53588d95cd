type Pointer = number;

/** What quickjs.wasm of quickjs-wasi 3.6.2 exports and we use. A pointer is to a value of the guest's, in its memory. */
export interface QuickjsExports {
  readonly __stack_pointer: WebAssembly.Global;
  _initialize(): void;
  malloc(bytes: number): Pointer;
  wasm_malloc(bytes: number): Pointer;
  wasm_free(pointer: Pointer): void;
  qjs_init(): number;
  qjs_get_quickjs_version(): Pointer;
  qjs_get_runtime_ptr(): Pointer;
  qjs_get_context_ptr(): Pointer;
  qjs_set_runtime_and_context(runtime: Pointer, context: Pointer): void;
  qjs_set_interrupt_handler(on: number): void;
  qjs_set_promise_rejection_handler(on: number): void;
  qjs_set_module_loader(on: number): void;
  qjs_set_memory_limit(bytes: number): void;
  qjs_set_max_stack_size(bytes: number): void;
  qjs_run_gc(): void;
  /** Fills 26 int64; the first is the bytes that the guest has allocated. */
  qjs_compute_memory_usage(fields: Pointer): void;
  qjs_eval(code: Pointer, bytes: number, name: Pointer, flags: number): Pointer;
  qjs_compile(
    code: Pointer,
    bytes: number,
    name: Pointer,
    flags: number,
    strip: number,
    lengthAt: Pointer,
  ): Pointer;
  qjs_eval_bytecode(code: Pointer, bytes: number): Pointer;
  qjs_call(callee: Pointer, self: Pointer, count: number, args: Pointer): Pointer;
  qjs_new_string(text: Pointer, bytes: number): Pointer;
  qjs_new_number(value: number): Pointer;
  qjs_new_object(): Pointer;
  qjs_get_undefined(): Pointer;
  qjs_new_host_function(name: Pointer, bytes: number, flags: number): Pointer;
  qjs_set_prop_string(object: Pointer, name: Pointer, value: Pointer): void;
  qjs_is_exception(value: Pointer): number;
  qjs_is_string(value: Pointer): number;
  qjs_is_number(value: Pointer): number;
  qjs_is_promise(value: Pointer): number;
  qjs_promise_state(promise: Pointer): number;
  qjs_promise_result(promise: Pointer): Pointer;
  qjs_get_float64(value: Pointer): number;
  qjs_get_string_len(value: Pointer, bytes: Pointer): Pointer;
  qjs_free_cstring(text: Pointer): void;
  qjs_get_value_ptr(value: Pointer): Pointer;
  qjs_dup_value(value: Pointer): Pointer;
  qjs_free_value(value: Pointer): void;
  qjs_get_exception(): Pointer;
  qjs_get_prop_string(object: Pointer, name: Pointer): Pointer;
  qjs_new_error(): Pointer;
  qjs_throw(error: Pointer): Pointer;
  qjs_is_job_pending(): number;
  qjs_execute_pending_job(): number;
}

/** Names of `QuickjsExports`. */
export const exportNames = [
  "__stack_pointer",
  "_initialize",
  "malloc",
  "wasm_malloc",
  "wasm_free",
  "qjs_init",
  "qjs_get_quickjs_version",
  "qjs_get_runtime_ptr",
  "qjs_get_context_ptr",
  "qjs_set_runtime_and_context",
  "qjs_set_interrupt_handler",
  "qjs_set_promise_rejection_handler",
  "qjs_set_module_loader",
  "qjs_set_memory_limit",
  "qjs_set_max_stack_size",
  "qjs_run_gc",
  "qjs_compute_memory_usage",
  "qjs_eval",
  "qjs_compile",
  "qjs_eval_bytecode",
  "qjs_call",
  "qjs_new_string",
  "qjs_new_number",
  "qjs_new_object",
  "qjs_get_undefined",
  "qjs_new_host_function",
  "qjs_set_prop_string",
  "qjs_is_exception",
  "qjs_is_string",
  "qjs_is_number",
  "qjs_is_promise",
  "qjs_promise_state",
  "qjs_promise_result",
  "qjs_get_float64",
  "qjs_get_string_len",
  "qjs_free_cstring",
  "qjs_get_value_ptr",
  "qjs_dup_value",
  "qjs_free_value",
  "qjs_get_exception",
  "qjs_get_prop_string",
  "qjs_new_error",
  "qjs_throw",
  "qjs_is_job_pending",
  "qjs_execute_pending_job",
] as const satisfies readonly (keyof QuickjsExports)[];

/** The imports of quickjs.wasm that it calls to speak to whoever runs it. */
export interface QuickjsImports {
  host_interrupt(): number;
  host_call(name: Pointer, nameBytes: number, self: Pointer, count: number, args: Pointer): Pointer;
  host_promise_rejection(promise: Pointer, reason: Pointer, isHandled: number): void;
  host_module_normalize(base: Pointer, name: Pointer): Pointer;
  host_module_load(name: Pointer, bytes: Pointer): Pointer;
  host_get_timezone_offset(high: number, low: number): number;
}
