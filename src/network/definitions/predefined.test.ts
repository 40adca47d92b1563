import { expect, test } from "bun:test";
import { State } from "../../state/database.ts";
import { parseCidr } from "../addresses/ip.ts";
import { defaultSubnetPools } from "../addresses/pools.ts";
import { Definitions } from "./definitions.ts";
import { inspectNetwork } from "./inspect.ts";
import { definePredefined } from "./predefined.ts";

const options = {
  bridge: "berth0",
  subnetPools: defaultSubnetPools,
  icc: true,
  ipMasq: true,
  defaultBindAddress: "",
  ipv6: false,
  engineId: "x",
};
const taken = (...texts: string[]) => texts.map((text) => parseCidr(text).subnet);
const bridgeOf = (state: State) => inspectNetwork(new Definitions(state).find("bridge"));

test("bridge, host and none exist from the first start, and keep their ids", () => {
  const state = State.inMemory();
  definePredefined(state, new Definitions(state), options, []);
  const first = new Definitions(state).all();
  definePredefined(state, new Definitions(state), { ...options, mtu: 1400 }, []);
  expect(first.map(({ name, driver }) => `${name} ${driver}`)).toEqual([
    "none null",
    "host host",
    "bridge bridge",
  ]);
  expect(new Definitions(state).all().map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  expect(bridgeOf(state).Options["com.docker.network.driver.mtu"]).toBe("1400");
});

test("the default bridge is told as Docker tells it", () => {
  const state = State.inMemory();
  definePredefined(state, new Definitions(state), options, []);
  expect(bridgeOf(state)).toMatchObject({
    Driver: "bridge",
    Scope: "local",
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: [{ Subnet: "172.17.0.0/16", Gateway: "172.17.0.1" }] },
    ConfigFrom: { Network: "" },
    Options: {
      "com.docker.network.bridge.default_bridge": "true",
      "com.docker.network.bridge.enable_icc": "true",
      "com.docker.network.bridge.enable_ip_masquerade": "true",
      "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
      "com.docker.network.bridge.name": "berth0",
      "com.docker.network.driver.mtu": "1500",
    },
  });
  expect(inspectNetwork(new Definitions(state).find("none")).IPAM.Config).toBeNull();
});

test("the subnet stays from start to start, and moves when the host took it", () => {
  const state = State.inMemory();
  definePredefined(state, new Definitions(state), options, taken("172.17.0.0/16"));
  expect(bridgeOf(state).IPAM.Config?.[0]?.Subnet).toBe("172.18.0.0/16");
  definePredefined(state, new Definitions(state), options, []);
  expect(bridgeOf(state).IPAM.Config?.[0]?.Subnet).toBe("172.18.0.0/16");
  definePredefined(state, new Definitions(state), options, taken("172.18.9.0/24"));
  expect(bridgeOf(state).IPAM.Config?.[0]?.Subnet).toBe("172.17.0.0/16");
});

test("the subnet does not move while a container has an address of it", () => {
  const state = State.inMemory();
  definePredefined(state, new Definitions(state), options, []);
  state.db
    .query(
      "INSERT INTO endpoints (id, container_id, network_id, ipv4, spec) VALUES ('e', 'c', ?, '172.17.0.2', '{}')",
    )
    .run(bridgeOf(state).Id);
  definePredefined(state, new Definitions(state), options, taken("172.17.0.0/16"));
  expect(bridgeOf(state).IPAM.Config?.[0]?.Subnet).toBe("172.17.0.0/16");
});

test("bip gives the bridge its address", () => {
  const state = State.inMemory();
  definePredefined(state, new Definitions(state), { ...options, bip: "192.168.5.9/24" }, []);
  expect(bridgeOf(state).IPAM.Config).toEqual([{ Subnet: "192.168.5.0/24", Gateway: "192.168.5.9" }]);
});

test("a network is found by name, id and a prefix of its id, and missed in Docker's words", () => {
  const state = State.inMemory();
  definePredefined(state, new Definitions(state), options, []);
  const { Id } = bridgeOf(state);
  const definitions = new Definitions(state);
  for (const key of ["bridge", Id, Id.slice(0, 12)]) expect(definitions.find(key).name).toBe("bridge");
  expect(() => definitions.find("nope")).toThrow("network nope not found");
  expect(() => definitions.find("")).toThrow("not found");
});
