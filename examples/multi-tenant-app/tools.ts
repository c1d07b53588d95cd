import { defineTool, getContext, type Tool } from "codemode";
import { z } from "zod";
import type { Orders } from "./database.ts";

const order = z.object({
  id: z.int(),
  customer: z.string(),
  item: z.string(),
  cents: z.int(),
  status: z.enum(["open", "shipped", "cancelled"]),
});

/** What programs may do with the orders: always those of the tenant on whose behalf they run. */
export function orderTools(orders: Orders): Tool[] {
  const listOrders = defineTool({
    name: "list_orders",
    description:
      "Orders by number, the oldest first; all of them, or those of a customer or a status",
    readOnly: true,
    inputSchema: z.object({
      customer: z.string().optional(),
      status: order.shape.status.optional(),
      limit: z.int().min(1).max(1_000).default(100),
    }),
    outputSchema: z.array(order),
    execute: (filter) => orders.find(tenant(), filter),
  });
  const cancelOrder = defineTool({
    name: "cancel_order",
    description: "Cancels an open order by its number",
    inputSchema: z.object({ id: z.int() }),
    outputSchema: z.null(),
    execute({ id }, { context }) {
      if (orders.cancel(tenant(), id)) {
        console.log(`${context.user_id} cancelled order ${id} of ${tenant()}`);
        return null;
      }
      throw new Error(`there is no open order ${id}`);
    },
  });
  return [listOrders, cancelOrder];
}

/** The tenant of the execution whose call this is: the host's word, not an argument of the program. */
function tenant(): string {
  const { client_id } = getContext();
  if (typeof client_id === "string") return client_id;
  throw new Error("this tool is called on behalf of a tenant");
}
