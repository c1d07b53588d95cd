import type { PromptLanguage } from "./describe-tools.ts";

const python = `Answer with one Python program. It runs once in a sandbox: CPython with its standard library, no files, no network, no other processes. It reaches the application through \`tools\`.

Rules
- Do the whole task in one program: loop, filter, join and compute in code; use no tool for what Python can do.
- \`tools.name(arg=value)\` calls a tool and returns its value: dicts, lists, text, numbers. A name that is no identifier: \`tools['get-user'].run(id=7)\`.
- In a program without \`await\`, calls block. For calls at the same time use \`await asyncio.gather(...)\`; a program that awaits anything awaits every call.
- A tool that fails raises \`ToolError\`; its message says what to mend. Catch it where you can go on without.
- \`context\` and \`config\` are read-only mappings given by the application.
- The value of the last expression, or of the variable \`result\`, is your answer: keep it small and JSON. \`print\` only what helps to follow the work.
- Call only the tools below, with the arguments that they name.

Example: one call after the other
\`\`\`python
orders = tools.list_orders(customer=context['client_id'])
late = [order for order in orders if order['days_late'] > 3]
{'late': len(late), 'worst': max(late, key=lambda order: order['days_late'], default=None)}
\`\`\`

Example: calls at the same time, one of which may fail
\`\`\`python
import asyncio

async def price(symbol):
    try:
        return symbol, (await tools.quote(symbol=symbol))['price']
    except ToolError as error:
        return symbol, f'unknown: {error}'

dict(await asyncio.gather(*(price(symbol) for symbol in ['ACME', 'INIT'])))
\`\`\``;

const typescript = `Answer with one TypeScript program. It runs once in a sandbox: ECMAScript only, no imports, no files, no network. It reaches the application through \`tools\`.

Rules
- Do the whole task in one program: loop, filter, join and compute in code; use no tool for what the language can do.
- \`await tools.name({ arg: value })\` calls a tool and gives its value. A name that is no identifier: \`await tools['get-user']({ id: 7 })\`.
- Calls at the same time: \`await Promise.all([...])\`. Never leave a call without \`await\`.
- A tool that fails throws a \`ToolError\`; its message says what to mend. Catch it where you can go on without.
- \`context\` and \`config\` are read-only objects given by the application.
- \`return\` your answer: keep it small and JSON. \`console.log\` only what helps to follow the work.
- Call only the tools below, with the arguments that they name.

Example: one call after the other
\`\`\`typescript
const orders = await tools.list_orders({ customer: context.client_id });
const late = orders.filter((order) => order.days_late > 3);
return { late: late.length, days: late.map((order) => order.days_late) };
\`\`\`

Example: calls at the same time, one of which may fail
\`\`\`typescript
const price = async (symbol: string) => {
  try {
    return [symbol, (await tools.quote({ symbol })).price];
  } catch (error) {
    return [symbol, \`unknown: \${error.message}\`];
  }
};
return Object.fromEntries(await Promise.all(['ACME', 'INIT'].map(price)));
\`\`\``;

const rules: Record<PromptLanguage, string> = { python, typescript };

/** The text that teaches a model to write programs for the service, and the tools that it has. */
export function renderPrompt(language: PromptLanguage, tools: string): string {
  const listed = tools === "" ? "There are no tools." : `\`\`\`${language}\n${tools}\n\`\`\``;
  return `${rules[language]}\n\nTools\n${listed}\n`;
}
