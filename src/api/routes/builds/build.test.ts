import { expect, test } from "bun:test";
import { ask, told } from "../../testing/ask.ts";
import { fakeEngine } from "../../testing/fake-engine.ts";

const answers: [query: string, status: number, message: string][] = [
  ["build?version=3", 400, 'invalid version "3"'],
  ["build?isolation=x", 400, 'unsupported isolation: "x"'],
  [
    "build?cachefrom=x",
    400,
    "error reading cache-from: invalid character 'x' looking for beginning of value",
  ],
  ["build?shmsize=x", 500, 'strconv.ParseInt: parsing "x": invalid syntax'],
  ["build?t=UP", 500, "invalid reference format: repository name (library/UP) must be lowercase"],
  // what is no number counts as none
  ["build?memory=x&t=", 500, "unexpected EOF"],
  ["build/prune?filters=x", 400, "invalid filter"],
  [
    "build/prune?min-free-space=x",
    400,
    'min-free-space is in bytes and expects an integer, got x: strconv.Atoi: parsing "x": invalid syntax',
  ],
];

const engine = fakeEngine({ builds: { unpack: () => Promise.reject(new Error("unexpected EOF")) } });

test.each(answers)("POST /%s is answered as Docker answers it", async (query, status, message) => {
  expect(told(await ask(engine, `POST /${query}`))).toEqual({ status, message });
});
