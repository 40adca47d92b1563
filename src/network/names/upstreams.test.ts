import { expect, test } from "bun:test";
import { HostServers } from "./upstreams.ts";

test("the host's servers are read anew as the host's file changes, at most once a second", () => {
  let text = "nameserver 10.0.0.53\nnameserver 127.0.0.53\n";
  let reads = 0;
  const servers = new HostServers(() => {
    reads++;
    return text;
  });
  expect(servers.list(0)).toEqual([
    { address: "10.0.0.53", from: "host" },
    { address: "127.0.0.53", from: "host" },
  ]);
  text = "nameserver fe80::1%eth0\n";
  expect(servers.list(999).length).toBe(2);
  expect(servers.list(1000)).toEqual([{ address: "fe80::1%eth0", from: "host" }]);
  expect(reads).toBe(2);
});
