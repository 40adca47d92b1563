import { expect, test } from "bun:test";
import { parseGroup, parsePasswd, resolveUser } from "./passwd.ts";

const passwd = parsePasswd(
  "root:x:0:0:root:/root:/bin/sh\nbad line\nnobody:x:65534:65534:n:/home:/bin/false\nx:x:33:44::/var\n",
);
const groups = parseGroup("root:x:0:\nadm:x:4:nobody\n#c:x:9:\nnogroup:x:65534:\n");
const resolve = (spec: string, add: string[] = []) => resolveUser(spec, add, passwd, groups);

test("names, numbers and both together become ids", () => {
  expect(resolve("")).toEqual({ uid: 0, gid: 0, additionalGids: [], home: "/root" });
  expect(resolve("nobody")).toMatchObject({ uid: 65534, gid: 65534, additionalGids: [4], home: "/home" });
  expect(resolve("nobody:adm")).toMatchObject({ uid: 65534, gid: 4, additionalGids: [] });
  expect(resolve("1000:1001")).toMatchObject({ uid: 1000, gid: 1001, home: "/" });
  expect(resolve("33")).toMatchObject({ uid: 33, gid: 44, home: "/var" });
  expect(resolve("0", ["adm", "77"]).additionalGids).toEqual([4, 77]);
});

test("what is not there, or out of range, is refused in Docker's words", () => {
  expect(() => resolve("who")).toThrow("unable to find user who: no matching entries in passwd file");
  expect(() => resolve("nobody:who")).toThrow("unable to find group who: no matching entries in group file");
  for (const spec of ["-1", "4294967296", "1000:-5"])
    expect(() => resolve(spec)).toThrow("uids and gids must be in range 0-2147483647");
});
