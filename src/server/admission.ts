import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { isLoopback } from "./exposure.ts";

/** Why a request is refused before it is looked at any closer: an HTTP status and words. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Looks at the head of a request, whatever its route; undefined where it may go on. */
export type Admission = (request: IncomingMessage | Http2ServerRequest) => Refusal | undefined;

/** Options of `createAdmission`. */
export interface AdmissionOptions {
  /** Whether callers show a key: a web page has none, so that its Host and Origin say nothing more. */
  readonly hasKeys: boolean;
  /** What the service was told to listen on. */
  readonly host: string;
  /** Beside the service's own. */
  readonly allowedOrigins: readonly string[];
}

const maxHeaders = 64;
const maxHeaderBytes = 32 * 1024;

/**
 * What holds for every request. Without keys only a Host that is the loopback, or what the service listens
 * on, is answered, and only an Origin that is the service's own or configured: any web page can have a name
 * resolve to the loopback (DNS rebinding), and would run programs.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  return (request) =>
    tooManyHeaders(request) ?? (options.hasKeys ? undefined : foreign(request, options));
}

function tooManyHeaders({ rawHeaders }: IncomingMessage | Http2ServerRequest): Refusal | undefined {
  const count = rawHeaders.length / 2;
  // As HTTP/2 counts (RFC 9113, section 10.5.1): 32 bytes more for each.
  const bytes = rawHeaders.reduce((sum, each) => sum + each.length, 32 * count);
  if (count <= maxHeaders && bytes <= maxHeaderBytes) return undefined;
  return {
    status: 431,
    message: `the request has ${count} headers of ${bytes} bytes, at most ${maxHeaders} of ${maxHeaderBytes} are taken`,
  };
}

function foreign(
  { headers, socket }: IncomingMessage | Http2ServerRequest,
  { host, allowedOrigins }: AdmissionOptions,
): Refusal | undefined {
  const authority = String(headers[":authority"] ?? headers.host ?? "");
  const name = nameOf(authority);
  if (!isLoopback(name) && !name.endsWith(".localhost") && name !== host.toLowerCase()) {
    const shown = JSON.stringify(authority.slice(0, 128));
    return refused(`the Host ${shown} is not a loopback address, and no api keys are configured`);
  }
  const { origin } = headers;
  const own = `${"encrypted" in socket ? "https" : "http"}://${authority}`;
  if (origin === undefined || origin === own || allowedOrigins.includes(origin)) return undefined;
  const shown = JSON.stringify(String(origin).slice(0, 128));
  return refused(`the Origin ${shown} is not this service's own and not one of allowed_origins`);
}

function refused(message: string): Refusal {
  return { status: 403, message };
}

/** The host of an authority, without its port and brackets. */
function nameOf(authority: string): string {
  const [, address, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  return (address ?? name ?? "").toLowerCase();
}
