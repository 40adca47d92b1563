import { expect, test } from "bun:test";
import { endpointSettings } from "./endpoint.ts";

const refusal = "unable to create docker endpoint config:";

test("a host that no command could use is refused when the context is made", () => {
  const make = (settings: Record<string, string>): unknown => endpointSettings("/none", settings, {});
  for (const host of ["bogus", "tcp://", "unix://"])
    expect(() => make({ host })).toThrow(
      `${refusal} unable to apply docker endpoint options: unable to parse docker host \`${host}\``,
    );
  expect(() => make({ host: "tcp://x:y" })).toThrow(`${refusal} invalid docker endpoint options: `);
  expect(() => make({ ca: "/none/ca.pem" })).toThrow(
    `${refusal} open /none/ca.pem: no such file or directory`,
  );
  expect(() => make({ bogus: "1" })).toThrow(`${refusal} unrecognized config key: bogus`);
  for (const host of ["", "unix:///x", "tcp://x", "tcp://[::1]:2375", "ssh://me@there:22/run/x.sock"])
    expect(make({ host })).toEqual({ docker: { Host: host, SkipTLSVerify: false }, tls: {} });
});
