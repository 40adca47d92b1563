import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { classicOwnerIn, ownerIn } from "./user.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "berth-user-"));
  mkdirSync(join(root, "etc"));
  writeFileSync(
    join(root, "etc/passwd"),
    "root:x:0:0::/:\nweb:x:33:44::/:\nnobody:x:65534:65534::/:\nbig:x:4294967295:5::/:\nhuge:x:5000000000:5::/:\n",
  );
  writeFileSync(join(root, "etc/group"), "root:x:0:\nweb:x:44:\nmail:x:8:\n");
});
afterAll(() => rmSync(root, { recursive: true }));

test.each([
  ["", 0, 0],
  ["5", 5, 5],
  ["5:6", 5, 6],
  ["5:", 5, 0],
  [":6", 0, 6],
  ["web", 33, 44],
  ["web:mail", 33, 8],
  ["5:mail", 5, 8],
  ["nope", 0, 0],
  ["web:nope", 33, 44],
  ["5:nope", 5, 5],
  ["a:b:c", 0, 0],
  ["1:2:3", 1, 1],
  ["web:mail:", 33, 44],
  ["+1", 1, 1],
  ["-1", 0, 0],
  ["big", 0, 0],
  ["huge:web", 0, 44],
  ["4294967295", 0, 0],
])("--chown=%s is what BuildKit makes of it", (spec, uid, gid) => {
  expect(ownerIn(root, spec)).toEqual({ uid, gid });
});

test("names in a root without files cannot be looked up", () => {
  expect(() => ownerIn(undefined, "web")).toThrow("invalid user index: -1");
  expect(ownerIn(undefined, "5:6")).toEqual({ uid: 5, gid: 6 });
});

test.each([
  ["5", 5, 5],
  ["web", 33, 44],
  ["web:mail", 33, 8],
])("--chown=%s of the classic builder", (spec, uid, gid) => {
  expect(classicOwnerIn(root, spec)).toEqual({ uid, gid });
});

test.each([
  ["nope", "can't find uid for user nope: no such user: nope"],
  ["5:nope", "can't find gid for group nope: no such group: nope"],
  ["nobody", "can't find gid for group nobody: no such group: nobody"],
  ["a:b:c", "invalid chown string format: a:b:c"],
])("the classic builder refuses --chown=%s", (spec, why) => {
  expect(() => classicOwnerIn(root, spec)).toThrow(
    `unable to convert uid/gid chown string to host mapping: ${why}`,
  );
});
