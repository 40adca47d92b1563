import { expect, test } from "bun:test";
import type { Spec } from "../../types/runtime-spec.ts";
import { applyEdits } from "./apply.ts";
import { editsOf } from "./resolve.ts";
import { parseSpec } from "./spec-files.ts";

const yaml = `
cdiVersion: 0.5.0
kind: acme.com/gpu
devices:
  - name: "0"
    containerEdits:
      env: [GPU=0]
      deviceNodes:
        - path: /dev/gpu0
          hostPath: /dev/null
          permissions: rw
containerEdits:
  env: [DRIVER=1]
  mounts:
    - {hostPath: /lib/driver, containerPath: /lib/driver, options: [ro]}
  hooks:
    - {hookName: createContainer, path: /bin/setup, args: [setup, x]}
`;

test("a specification is YAML or JSON, and what it must have is checked", () => {
  const spec = parseSpec(yaml, false);
  expect([spec.kind, spec.devices[0]?.name]).toEqual(["acme.com/gpu", "0"]);
  expect(parseSpec(JSON.stringify({ kind: "a/b", devices: [] }), true).kind).toBe("a/b");
  expect(() => parseSpec('{"kind": "x", "devices": []}', true)).toThrow("kind must be vendor/class");
  expect(() =>
    parseSpec('{"kind": "a/b", "containerEdits": {"mounts": [{"hostPath": "/x"}]}}', true),
  ).toThrow("an item of mounts has no containerPath");
});

test("devices are found by full name; a later folder wins, two in one folder are none", () => {
  const spec = { ...parseSpec(yaml, false), priority: 0 };
  expect(editsOf([spec], ["acme.com/gpu=0"]).flatMap(({ env }) => env)).toEqual(["GPU=0", "DRIVER=1"]);
  expect(() => editsOf([spec], ["acme.com/gpu=1", "x/y=z"])).toThrow(
    "CDI device injection failed: unresolvable CDI devices acme.com/gpu=1, x/y=z",
  );
  expect(() => editsOf([spec, { ...spec }], ["acme.com/gpu=0"])).toThrow("unresolvable");
  const later = { ...spec, containerEdits: {}, priority: 1 };
  expect(editsOf([spec, later], ["acme.com/gpu=0"]).flatMap(({ env }) => env ?? [])).toEqual(["GPU=0"]);
});

test("edits reach variables, devices with their access, mounts and hooks", () => {
  const spec = {
    process: { env: ["A=1"], user: { uid: 0, gid: 0 } },
    mounts: [],
    linux: { resources: { devices: [] } },
  } as unknown as Spec;
  const parsed = { ...parseSpec(yaml, false), priority: 0 };
  applyEdits(spec, editsOf([parsed], ["acme.com/gpu=0"]));
  expect(spec.process.env).toEqual(["A=1", "GPU=0", "DRIVER=1"]);
  expect(spec.linux.devices).toMatchObject([{ path: "/dev/gpu0", type: "c", major: 1, minor: 3 }]);
  expect(spec.linux.resources?.devices).toMatchObject([{ allow: true, major: 1, minor: 3, access: "rw" }]);
  expect(spec.mounts[0]?.options).toEqual(["rbind", "ro"]);
  expect(spec.hooks?.createContainer).toEqual([{ path: "/bin/setup", args: ["setup", "x"] }]);
});
