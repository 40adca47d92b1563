import { expect, test } from "bun:test";
import { checkNameServers } from "./name-servers.ts";

test("addresses of both families are name servers", () => {
  checkNameServers(["1.1.1.1", "fe80::1%eth0", "::1"]);
});

test.each([
  ["bogus", "unable to parse IP"],
  ["", "unable to parse IP"],
  ["1.1.1.1\nsearch x", 'unexpected character (at "\\nsearch x")'],
  ["1.2.3", "IPv4 address too short"],
  ["1.2.3.4.5", "IPv4 address too long"],
  ["1.2.3.256", "IPv4 field has value >255"],
  ["01.2.3.4", "IPv4 field has octet with leading zero"],
  ["1..2.3", 'IPv4 field must have at least one digit (at ".2.3")'],
  ["1.2.3.4 ", 'unexpected character (at " ")'],
  ["::1%", "zone must be a non-empty string"],
])("what is no address is refused as Go refuses it: %p", (server, fault) => {
  expect(() => checkNameServers(["1.1.1.1", server])).toThrow(
    `bad nameserver address ${server}: ParseAddr(${JSON.stringify(server)}): ${fault}`,
  );
});
