import { expect, test } from "bun:test";
import { type NamedEndpoint, NameTable } from "./table.ts";

const endpoint = (endpointId: string, rest: Partial<NamedEndpoint> = {}): NamedEndpoint => ({
  endpointId,
  networkId: "n",
  networkName: "net",
  names: [endpointId],
  ipv4: "",
  ipv6: "",
  ...rest,
});

const shown = (found: Uint8Array[] | undefined): string[] | undefined =>
  found?.map((bytes) => bytes.join("."));

test("an endpoint is found by each of its names, in its own network only", () => {
  const table = new NameTable();
  table.announce(endpoint("web", { names: ["web", "Alias", "0123456789ab"], ipv4: "10.0.0.2" }));
  for (const name of ["web", "alias", "0123456789ab"])
    expect(shown(table.addresses("n", name, "ipv4"))).toEqual(["10.0.0.2"]);
  expect(table.addresses("other", "web", "ipv4")).toBeUndefined();
  expect(table.addresses("n", "nobody", "ipv4")).toBeUndefined();
});

test("a name without an address of that family is known, and has none", () => {
  const table = new NameTable();
  table.announce(endpoint("web", { ipv4: "10.0.0.2" }));
  expect(table.addresses("n", "web", "ipv6")).toEqual([]);
});

test("several endpoints share an alias, and lose it one by one", () => {
  const table = new NameTable();
  for (const last of [2, 3, 4])
    table.announce(endpoint(`e${last}`, { names: [`e${last}`, "pool"], ipv4: `10.0.0.${last}` }));
  expect(shown(table.addresses("n", "pool", "ipv4"))).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
  table.withdraw("e3");
  expect(shown(table.addresses("n", "pool", "ipv4"))).toEqual(["10.0.0.2", "10.0.0.4"]);
  table.withdraw("e2");
  table.withdraw("e4");
  table.withdraw("e4");
  expect(table.addresses("n", "pool", "ipv4")).toBeUndefined();
});

test("announcing again replaces: the old name is gone with a rename", () => {
  const table = new NameTable();
  table.announce(endpoint("e", { names: ["old"], ipv4: "10.0.0.2" }));
  table.announce(endpoint("e", { names: ["new"], ipv4: "10.0.0.2" }));
  expect(table.addresses("n", "old", "ipv4")).toBeUndefined();
  expect(table.reverse("n", "2.0.0.10.in-addr.arpa")).toBe("new.net");
});

test("addresses of both families are found in reverse", () => {
  const table = new NameTable();
  table.announce(endpoint("Web", { ipv4: "10.0.0.2", ipv6: "fd00::2" }));
  expect(table.reverse("n", "2.0.0.10.in-addr.arpa")).toBe("Web.net");
  expect(table.reverse("n", `2.${"0.".repeat(29)}d.f.ip6.arpa`)).toBe("Web.net");
  expect(table.reverse("n", "3.0.0.10.in-addr.arpa")).toBeUndefined();
  table.withdraw("Web");
  expect(table.reverse("n", "2.0.0.10.in-addr.arpa")).toBeUndefined();
});
