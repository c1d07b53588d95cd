import { createHmac, randomBytes } from "node:crypto";

const secret = randomBytes(16);

/** An opaque name that a tenant's programs have in common, of no use outside this process. */
export function groupOf(tenant: string): string {
  return createHmac("sha256", secret).update(tenant).digest("base64url");
}
