import { expect, test } from "bun:test";
import { State } from "../../state/database.ts";
import type { NetworkCreateRequest } from "../../types/api.ts";
import { defaultSubnetPools, readPools } from "../addresses/pools.ts";
import { defineNetwork } from "./create.ts";
import { Definitions } from "./definitions.ts";

const define = (request: NetworkCreateRequest) =>
  defineNetwork(
    { Name: "n", ...request },
    {
      definitions: new Definitions(State.inMemory()),
      pools: readPools(defaultSubnetPools),
      defaultOptions: {},
      hostSubnets: () => Promise.resolve([]),
    },
  );

const withSubnet = (Config: Record<string, unknown>): NetworkCreateRequest => ({
  IPAM: { Config: [{ Subnet: "10.1.0.0/24", ...Config }] },
});

const gatewayOf = async (request: NetworkCreateRequest): Promise<string | undefined> =>
  (await define(request)).spec.subnets[0]?.gateway;

test("a gateway that nobody named is the first address of the range, else of the subnet", async () => {
  expect(await gatewayOf(withSubnet({}))).toBe("10.1.0.1");
  expect(await gatewayOf(withSubnet({ IPRange: "10.1.0.128/25" }))).toBe("10.1.0.128");
});

test("neither gateway nor auxiliary address is one that nobody can have", async () => {
  await expect(define(withSubnet({ Gateway: "10.1.0.255" }))).rejects.toThrow(
    "failed to allocate gateway (10.1.0.255): Address already in use",
  );
  await expect(define(withSubnet({ AuxiliaryAddresses: { a: "10.1.0.7", b: "10.1.0.7" } }))).rejects.toThrow(
    "failed to allocate secondary ip address (b:10.1.0.7): Address already in use",
  );
});

test("a network without a way out keeps no address for a gateway", async () => {
  const isolated = { Internal: true, Options: { "com.docker.network.bridge.gateway_mode_ipv4": "isolated" } };
  expect(await gatewayOf({ ...withSubnet({}), ...isolated })).toBe("");
  expect(await gatewayOf(isolated)).toBe("");
  expect(await gatewayOf({ ...withSubnet({}), Driver: "ipvlan", Options: { ipvlan_mode: "l3" } })).toBe("");
  expect(await gatewayOf({ ...withSubnet({}), Driver: "macvlan", Options: { parent: "eth0" } })).toBe(
    "10.1.0.1",
  );
});

test("what is asked beside another network's configuration is refused before that is looked for", async () => {
  const borrowed = { ConfigFrom: { Network: "gone" } };
  await expect(define({ ...borrowed, EnableIPv6: true })).rejects.toThrow("user specified configurations");
  await expect(define({ ...borrowed, Options: { a: "b" } })).rejects.toThrow("network driver options");
  await expect(define(borrowed)).rejects.toThrow('configuration network "gone" does not exist');
});
