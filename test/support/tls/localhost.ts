import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Where the certificate is: of localhost and 127.0.0.1, and its own authority. */
export const certFile = file("localhost-cert.pem");

/** The identity of a server on loopback. */
export const identity = {
  cert: readFileSync(certFile),
  key: readFileSync(file("localhost-key.pem")),
};
