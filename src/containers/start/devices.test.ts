import { expect, test } from "bun:test";
import type { HostConfig } from "../../types/api.ts";
import { devicesOf } from "./devices.ts";

const accessFor = (CgroupPermissions: string): string[] =>
  devicesOf({
    Privileged: false,
    Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions }],
  } as unknown as HostConfig).devices.map(({ access }) => access);

test("a device gives the access its letters name, and all of it where none are", () => {
  expect(accessFor("r")).toEqual(["r"]);
  expect(accessFor("mw")).toEqual(["wm"]);
  expect(accessFor("")).toEqual(["rwm"]);
});

test("letters that mean nothing give no more than everybody has", () => {
  expect(accessFor("rz")).toEqual(["r"]);
  expect(accessFor("zz")).toEqual(["m"]);
});
