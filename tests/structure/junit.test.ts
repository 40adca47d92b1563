import { expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compact, readReport } from "../../scripts/lib/junit.ts";

const source = `
import { describe, expect, test } from "bun:test";
describe("of <a> kind", () => {
  test('says "why" & how', () => { expect("<x>").toBe("y"); });
  test("throws", () => { throw new Error("one\\ntwo"); });
  test("waits", () => Bun.sleep(10_000), 1);
  test("passes", () => undefined);
  test.skip("is left out", () => undefined);
});
`;

test("what this bun reports of failures is read, and told in few plain lines", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-junit-"));
  try {
    await writeFile(join(folder, "some.test.ts"), source);
    const options = ["--reporter=junit", "--reporter-outfile=report.xml", "some.test.ts"];
    await Bun.spawn([process.execPath, "test", ...options], {
      cwd: folder,
      stdio: ["ignore", "ignore", "ignore"],
    }).exited;
    const report = readReport(await readFile(join(folder, "report.xml"), "utf8"));
    expect(report).toMatchObject({ passed: 1, failed: 3, skipped: 1 });
    const [why, throws, waits] = report.failures.map((one) => compact(one).join("\n"));
    expect(why).toStartWith(
      'of <a> kind > says "why" & how\n    AssertionError: expect(received).toBe(expected)\n',
    );
    expect(why).toContain('    Expected: "y"\n    Received: "<x>');
    expect(why).toContain("some.test.ts:4");
    expect(throws).toStartWith("of <a> kind > throws\n    Error: one\n    two\n          at some.test.ts:5");
    expect(waits).toBe("of <a> kind > waits\n    test timed out");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("what a terminal would obey is taken out", () => {
  const message = "a\u001b[31mred\u001b[0m\rthing\u0007";
  expect(compact({ test: "t", message })).toEqual(["t", "    ared?thing?"]);
});

test("a run that died reports nothing", () => {
  expect(readReport("")).toEqual({ passed: 0, failed: 0, skipped: 0, failures: [] });
});

test("a long message is cut in its middle", () => {
  const message = Array.from({ length: 100 }, (_, index) => `line ${index}`).join("\n");
  const told = compact({ test: "long", message: `${message}\n      at place` });
  expect(told.length).toBeLessThan(20);
  expect(told).toContain("    line 0");
  expect(told).toContain("    line 99");
  expect(told.at(-1)).toBe("          at place");
});
