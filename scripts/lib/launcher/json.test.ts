import { cc } from "bun:ffi";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../../tests/harness/random.ts";

/** The launcher's own code, called from here: whether a configuration is one that it need not leave to the client. */
const folder = mkdtempSync(join(tmpdir(), "berth-json-"));
const source = join(folder, "json.c");
writeFileSync(
  source,
  `#include "system.h"
#include "text.h"
#include "json.h"
static const char barred[] = "HttpHeaders\\0" "proxies\\0";
int plain(const char *bytes, unsigned length) { return is_plain_object(bytes, length, barred); }`,
);
const library = cc({
  source,
  flags: ["-nostdlib", `-I${join(import.meta.dir, "../../../src/launcher")}`],
  symbols: { plain: { args: ["ptr", "u32"], returns: "int" } },
});
afterAll(() => {
  library.close();
  rmSync(folder, { recursive: true });
});

/** The bytes are followed by some that would make a longer text right: none beyond the end may be looked at. */
function isPlain(text: string): boolean {
  const bytes = Buffer.from(`${text}"}]}`);
  return library.symbols.plain(bytes, bytes.length - 4) === 1;
}

const logins = `{\n\t"auths": {"a.example.com": {"auth": "c2VjcmV0", "email": null}},\n\t"credsStore": "é", "n": [0, 10, [], {}, true, false]\n}\n`;

test("an ordinary configuration is plain", () => {
  for (const text of ["{}", " { } ", '{"":""}', logins, `{"a":${"[".repeat(31)}1${"]".repeat(31)}}`])
    expect(isPlain(text), text).toBe(true);
});

test("one with a setting that matters is not, on whatever level it stands", () => {
  for (const text of ['{"HttpHeaders":1}', '{"a":[{"proxies" : {}}]}', '{"b":1,\n"proxies":0}'])
    expect(isPlain(text), text).toBe(false);
  for (const text of ['{"HttpHeader":1}', '{"HttpHeadersX":1}', '{"a":"proxies"}', '{"aproxies":1}'])
    expect(isPlain(text), text).toBe(true);
});

test("of texts changed at random none is plain that JSON does not know, or that has such a setting", () => {
  const random = new Random(20_261_122);
  const pieces = [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "-",
    "1e5",
    "tru",
    "null",
    " ",
    "\\u0061",
    "\t",
    "\0",
    '"proxies"',
  ];
  let plain = 0;
  for (let round = 0; round < 20_000; round++) {
    let text = logins;
    for (let changes = 1 + random.below(3); changes > 0; changes--) {
      const [at, gone] = [random.below(text.length), random.below(3)];
      text =
        text.slice(0, at) +
        (random.next() < 0.5 ? (pieces[random.below(pieces.length)] ?? "") : "") +
        text.slice(at + gone);
    }
    if (!isPlain(text)) continue;
    plain++;
    expect(JSON.stringify(JSON.parse(text)), text).not.toMatch(/"(HttpHeaders|proxies)":/);
  }
  expect(plain).toBeGreaterThan(500);
});
