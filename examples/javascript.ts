// Runs programs in JavaScript and TypeScript, with tools of this application.
// npm start, then: CODEMODE_EXECUTOR_URL=http://127.0.0.1:8001 npm exec -- node --conditions=codemode-source examples/javascript.ts
import { Codemode, defineTool, unwrap } from "codemode";
import { z } from "zod";

const stock: Readonly<Record<string, number>> = { apples: 12, pears: 0, plums: 7 };

const inStock = defineTool({
  name: "in_stock",
  description: "How many of a product are in stock",
  inputSchema: z.object({ product: z.string() }),
  outputSchema: z.int(),
  execute({ product }) {
    const count = stock[product];
    if (count === undefined) throw new Error(`no such product: ${product}`);
    return count;
  },
});

const report = `
interface Line { product: string; count: number }

const products: string[] = context.products;
const lines: Line[] = await Promise.all(
  products.map(async (product) => ({ product, count: await tools.in_stock({ product }) })),
);
for (const { product, count } of lines) console.log(product, count);
return lines.filter(({ count }) => count === 0).map(({ product }) => product);
`;

const forgiving = `
async () => {
  try {
    return await tools.in_stock({ product: "bananas" });
  } catch (error) {
    return [error.name, error.tool, error.message];
  }
}
`;

await using codemode = Codemode.fromEnv();
codemode.registry.register(inStock);

const typed = await codemode.execute(report, {
  language: "typescript",
  context: { products: Object.keys(stock) },
  output: z.array(z.string()),
});
process.stdout.write(typed.stdout);
console.log("sold out:", unwrap(typed).join(", "));

console.log(unwrap(await codemode.execute(forgiving, { language: "javascript" })));
console.log(unwrap(await codemode.execute("2n ** 64n", { language: "javascript" })));
