// Runs programs for many tenants at once; each sees its own context and nobody else's.
// npm start, then: CODEMODE_EXECUTOR_URL=http://127.0.0.1:8001 npm exec -- node --conditions=codemode-source examples/many-tenants.ts
import { Codemode, getContext, withContext } from "codemode";

const code = `
import random, time

time.sleep(random.random() / 10)  # so that they end in another order than they started
f"{context['client_id']} pays in {context['currency']}"
`;

await using codemode = Codemode.fromEnv();

/** What a request handler does: the tenant is in the air, not in its arguments. */
async function handleRequest(): Promise<string> {
  const { client_id } = getContext();
  const result = await codemode.execute(code);
  if (result.status === "failed") return `${client_id}: ${result.error.message}`;
  return `${client_id}: ${result.text}`;
}

const currencies = ["EUR", "NOK", "USD"];
const answers = await Promise.all(
  Array.from({ length: 10 }, (_, index) => {
    const variables = { client_id: `client-${index}`, currency: currencies[index % 3] ?? "EUR" };
    return withContext(variables, handleRequest);
  }),
);
for (const answer of answers) console.log(answer);
