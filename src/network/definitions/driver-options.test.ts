import { expect, test } from "bun:test";
import type { NetworkDefinition } from "./definitions.ts";
import { bridgeOption, readBridge } from "./driver-options.ts";

const named = (name: string): NetworkDefinition => ({
  id: "0123456789abcdef",
  name: "n",
  driver: "bridge",
  createdNs: 0n,
  spec: {
    internal: false,
    attachable: false,
    ingress: false,
    scope: "local",
    ipv4: true,
    ipv6: false,
    options: { [bridgeOption.name]: name },
    labels: {},
    ipam: { driver: "default", options: null },
    subnets: [],
    configOnly: false,
    configFrom: "",
  },
});

test("a bridge's name is one that the kernel and the packet rules can hold", () => {
  expect(readBridge(named("br_1.2-x")).bridge).toBe("br_1.2-x");
  expect(readBridge(named("")).bridge).toBe("br-0123456789ab");
  for (const name of ['x"};flush#', "br*", "$x"])
    expect(() => readBridge(named(name))).toThrow("invalid bridge name");
  for (const name of ["a/../b", "..", "a b", "a\n", "a:b"])
    expect(() => readBridge(named(name))).toThrow("invalid argument");
  expect(() => readBridge(named("x".repeat(16)))).toThrow("numerical result out of range");
});
