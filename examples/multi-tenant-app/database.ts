import { DatabaseSync } from "node:sqlite";

/** An order of a shop. */
export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly item: string;
  readonly cents: number;
  readonly status: "open" | "shipped" | "cancelled";
}

/** What a tenant may look for. */
export interface OrderFilter {
  readonly customer?: string | undefined;
  readonly status?: Order["status"] | undefined;
  readonly limit: number;
}

/** The orders of all tenants. Every method asks for the tenant and touches its rows only. */
export interface Orders {
  find(tenant: string, filter: OrderFilter): Order[];
  /** False when the tenant has no such open order. */
  cancel(tenant: string, id: number): boolean;
}

/** Opens a SQLite database in memory, with a few orders of three tenants. */
export function openOrders(): Orders {
  const database = new DatabaseSync(":memory:");
  database.exec(`
    create table orders (
      tenant text not null, id integer not null, customer text not null, item text not null,
      cents integer not null, status text not null, primary key (tenant, id)
    ) strict, without rowid`);
  const insert = database.prepare("insert into orders values (?, ?, ?, ?, ?, ?)");
  for (const [tenant, rows] of Object.entries(samples)) {
    for (const [index, row] of rows.entries()) insert.run(tenant, index + 1, ...row);
  }
  const find = database.prepare(`
    select id, customer, item, cents, status from orders
    where tenant = $tenant and customer = coalesce($customer, customer)
      and status = coalesce($status, status)
    order by id limit $limit`);
  const cancel = database.prepare(
    "update orders set status = 'cancelled' where tenant = ? and id = ? and status = 'open'",
  );
  return {
    find: (tenant, { customer = null, status = null, limit }) =>
      find.all({ tenant, customer, status, limit }) as unknown as Order[],
    cancel: (tenant, id) => cancel.run(tenant, id).changes === 1,
  };
}

type Sample = readonly [customer: string, item: string, cents: number, status: Order["status"]];

const samples: Readonly<Record<string, readonly Sample[]>> = {
  acme: [
    ["ann", "anvil", 9_900, "open"],
    ["ann", "rope", 1_250, "shipped"],
    ["bob", "rocket skates", 24_900, "open"],
  ],
  globex: [
    ["cid", "laser", 199_900, "open"],
    ["dan", "drone", 49_900, "shipped"],
  ],
  initech: [["eve", "stapler", 1_590, "open"]],
};
