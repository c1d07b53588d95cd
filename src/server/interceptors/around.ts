import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";

/** What an interceptor does around one call; every part is optional. */
export interface Layer {
  /** Takes the place of the request's signal. */
  readonly signal?: AbortSignal;
  /** Gives what is thrown in place of an error. */
  readonly onError?: (error: unknown) => unknown;
  /** The call went well; its trailers can still be set. */
  readonly onSuccess?: (trailer: Headers) => void;
  /** The call is over, in whatever way; called once and last. */
  readonly close?: () => void;
}

/** Makes one interceptor for unary and streaming calls from what is done around a call. */
export function around(enter: (req: UnaryRequest | StreamRequest) => Layer): Interceptor {
  return (next) => async (req) => {
    const layer = enter(req);
    let isStream = false;
    try {
      const res = await next(layer.signal === undefined ? req : { ...req, signal: layer.signal });
      if (res.stream) {
        isStream = true;
        return { ...res, message: surround(res.message, layer, res.trailer) };
      }
      layer.onSuccess?.(res.trailer);
      return res;
    } catch (error) {
      throw layer.onError === undefined ? error : layer.onError(error);
    } finally {
      if (!isStream) layer.close?.();
    }
  };
}

/** Not a generator: one that never started would skip its `finally`, and with it `close`. */
function surround<T>(message: AsyncIterable<T>, layer: Layer, trailer: Headers): AsyncIterable<T> {
  const iterator = message[Symbol.asyncIterator]();
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    layer.close?.();
  };
  const step = async (advance: () => Promise<IteratorResult<T>>): Promise<IteratorResult<T>> => {
    try {
      const result = await advance();
      if (result.done === true && !isClosed) {
        layer.onSuccess?.(trailer);
        close();
      }
      return result;
    } catch (error) {
      if (isClosed) throw error;
      try {
        throw layer.onError === undefined ? error : layer.onError(error);
      } finally {
        close();
      }
    }
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => step(() => iterator.next()),
      async return(value: unknown) {
        try {
          return (await iterator.return?.(value)) ?? { done: true, value };
        } finally {
          close();
        }
      },
      throw: (error: unknown) => step(() => iterator.throw?.(error) ?? Promise.reject(error)),
    }),
  };
}
