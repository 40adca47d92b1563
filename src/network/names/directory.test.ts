import { expect, test } from "bun:test";
import { Directory, type NamedEndpoint } from "./directory.ts";

const endpoint = (containerName: string, ipv4: string, names: string[] = [containerName]): NamedEndpoint => ({
  endpointId: `e-${containerName}`,
  containerId: `id-${containerName}`,
  containerName,
  networkId: "n",
  networkName: "net",
  names,
  ipv4,
  ipv6: "",
  links: new Map(),
  internal: false,
});

test("an alias is had by all who asked for it, in any case, until they leave", () => {
  const directory = new Directory();
  directory.add(endpoint("a", "10.0.0.2", ["a", "Pool"]));
  directory.add(endpoint("b", "10.0.0.3", ["b", "pool"]));
  expect(directory.named("n", "POOL").map(({ ipv4 }) => ipv4)).toEqual(["10.0.0.2", "10.0.0.3"]);
  expect(directory.named("other", "pool")).toEqual([]);
  directory.remove("id-a", "n");
  expect(directory.named("n", "pool").map(({ containerName }) => containerName)).toEqual(["b"]);
  expect(directory.members("n")).toHaveLength(1);
  expect(directory.of("id-a")).toEqual([]);
});

test("a renamed container answers to its new name only", () => {
  const directory = new Directory();
  const told: string[] = [];
  directory.subscribe(({ kind, endpoint: { containerName } }) => told.push(`${kind} ${containerName}`));
  directory.add(endpoint("a", "10.0.0.2"));
  directory.rename("id-a", "z", "n", ["z"]);
  expect(directory.named("n", "a")).toEqual([]);
  expect(directory.named("n", "Z").map(({ ipv4 }) => ipv4)).toEqual(["10.0.0.2"]);
  directory.remove("id-a", "n");
  directory.remove("id-a", "n");
  expect(told).toEqual(["joined a", "renamed z", "left z"]);
});
