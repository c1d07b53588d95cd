import { describe, expect, it } from "vitest";
import { nearNames, searchTools, wordsOf } from "../../../src/tools/search.ts";
import { toolOf } from "../../support/requests.ts";

const tools = [
  toolOf("weather", { description: "Current weather of a city: rain, wind and temperature" }),
  toolOf("weatherForecast", { description: "What the sky will do over the next days" }),
  toolOf("create_invoice", { description: "Creates an invoice for a customer" }),
  toolOf("list_invoices", { description: "All invoices of a customer, newest first" }),
  toolOf("send-mail", { description: "Sends a message to a customer, for example an invoice" }),
  toolOf("get", { description: "Reads a record" }),
];
const found = (query: string, limit = 10) =>
  searchTools(tools, query, limit).map(({ tool }) => tool.name);

describe("words", () => {
  it.each([
    ["weatherForecast", ["weather", "forecast"]],
    ["create_invoice-now v2", ["create", "invoice", "now", "v2"]],
    ["Invoices, cities and boxes", ["invoice", "city", "and", "box"]],
    ["sending searched class status", ["send", "search", "class", "status"]],
    ["Überprüfung", ["überprüfung"]],
    ["", []],
  ])("of %j are %j", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe("a search", () => {
  it("puts names before descriptions", () => {
    expect(found("invoice")).toEqual(["create_invoice", "list_invoices", "send-mail"]);
    expect(found("mail a customer")[0]).toBe("send-mail");
  });

  it("finds a tool by words of its description, whatever their form", () => {
    expect(found("raining")).toEqual(["weather"]);
    expect(found("customers' newest invoices")[0]).toBe("list_invoices");
  });

  it("finds a tool by the beginning of a word", () => {
    expect(found("fore")).toEqual(["weatherForecast"]);
    expect(found("forecaster")).toEqual(["weatherForecast"]);
  });

  it("puts a tool that fits every word before one that fits some", () => {
    expect(found("rain forecast").slice(0, 2).sort()).toEqual(["weather", "weatherForecast"]);
    expect(found("weather forecast")[0]).toBe("weatherForecast");
  });

  it("counts rare words for more than common ones", () => {
    // "customer" is in three descriptions, "example" in one.
    expect(found("customer example")[0]).toBe("send-mail");
  });

  it("does not look at words that say nothing", () => {
    expect(found("what is the weather for a city")).not.toContain("get");
    expect(found("what is the")).toEqual([]);
  });

  it("finds nothing where nothing fits, and no more than it is asked for", () => {
    expect(found("kubernetes")).toEqual([]);
    expect(found("customer", 2)).toHaveLength(2);
    expect(searchTools([], "weather", 10)).toEqual([]);
  });
});

describe("near names", () => {
  it.each([
    ["wether", ["weather", "weatherForecast"]],
    ["Weather", ["weather", "weatherForecast"]],
    ["weather_forecast", ["weatherForecast", "weather"]],
    ["createInvoice", ["create_invoice"]],
    ["sendmail", ["send-mail"]],
    ["got", ["get"]],
    ["kubernetes", []],
    ["", []],
  ])("of %j are %j", (name, near) => {
    expect(nearNames(tools, name).slice(0, near.length || 3)).toEqual(near);
  });

  it("are at most three", () => {
    const many = Array.from({ length: 9 }, (_, index) => toolOf(`tool_${index}`));
    expect(nearNames(many, "tool_x")).toHaveLength(3);
  });
});
