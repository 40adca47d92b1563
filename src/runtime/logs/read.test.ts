import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RuntimeContext } from "../context.ts";
import type { LogOptions } from "../contract.ts";
import { readLogs } from "./read.ts";
import { growth, LogRotation, shiftLogs } from "./rotation.ts";

const line = (text: string, tag = "F"): string =>
  `2026-11-22T05:37:01.000000001+00:00 stdout ${tag} ${text}\n`;
const options: LogOptions = { stdout: true, stderr: true, follow: false, timestamps: false, terminal: true };
const never = new Promise<void>(() => undefined);

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "logs-"));
  path = join(folder, "x.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (more: Partial<LogOptions> = {}, ended: Promise<unknown> = Promise.resolve()): Promise<string> =>
  new Response(readLogs(path, { ...options, ...more }, ended)).text();

describe("reading a log", () => {
  test("there is nothing in one that is not there", async () => expect(await read()).toBe(""));

  test("rotated files come first, the oldest of them first", async () => {
    writeFileSync(`${path}.10`, line("1"));
    writeFileSync(`${path}.2`, line("2"));
    writeFileSync(path, line("3"));
    expect(await read()).toBe("1\n2\n3\n");
  });

  test("the times of the lines decide what is since, not those of the files: a clock may be set back", async () => {
    const sinceNs = BigInt(Date.parse("2026-11-22T05:37:01Z")) * 1_000_000n;
    writeFileSync(`${path}.1`, line("1").replace("05:37", "05:36") + line("2"));
    writeFileSync(path, line("3"));
    utimesSync(`${path}.1`, 0, 0);
    expect(await read({ sinceNs })).toBe("2\n3\n");
  });

  test("the tail reaches back over files and counts split lines as one", async () => {
    writeFileSync(`${path}.1`, line("1") + line("2a", "P"));
    writeFileSync(path, line("2b") + line("3"));
    for (const [tail, expected] of [
      [0, ""],
      [1, "3\n"],
      [2, "2a2b\n3\n"],
      [3, "1\n2a2b\n3\n"],
      [9, "1\n2a2b\n3\n"],
    ] as const)
      expect(await read({ tail })).toBe(expected);
  });

  test("the tail of a long log is found across reads", async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => line(`${index} ${"x".repeat(index % 100)}`));
    writeFileSync(path, lines.join(""));
    for (const tail of [1, 4000, 19_999]) {
      const told = (await read({ tail })).split("\n");
      expect([told.length - 1, told[0]?.split(" ")[0]]).toEqual([tail, String(20_000 - tail)]);
    }
  });

  test("a follower gets what comes, through a rotation, until the end", async () => {
    writeFileSync(path, line("1"));
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const told = read({ follow: true }, ended);
    await Bun.sleep(20);
    appendFileSync(path, line("2"));
    await Bun.sleep(20);
    renameSync(path, `${path}.1`);
    appendFileSync(`${path}.1`, line("3")); // the writer has not opened the new file yet
    await Bun.sleep(20);
    writeFileSync(path, line("4"));
    await Bun.sleep(20);
    appendFileSync(path, line("5", "P"));
    end();
    expect(await told).toBe("1\n2\n3\n4\n5");
  });

  test("a follower ends when it is aborted or let go", async () => {
    writeFileSync(path, line("1"));
    const abort = new AbortController();
    const told = read({ follow: true, signal: abort.signal }, never);
    setTimeout(() => abort.abort(), 20);
    expect(await told).toBe("1\n");
    const reader = readLogs(path, { ...options, follow: true }, never).getReader();
    await reader.read();
    await reader.cancel();
  });
});

describe("rotation", () => {
  test("keeps as many files as the policy says, the live one included", async () => {
    for (let round = 0; round < 5; round++) {
      writeFileSync(path, String(round));
      await shiftLogs(path, 3);
    }
    expect([readFileSync(`${path}.1`, "utf8"), readFileSync(`${path}.2`, "utf8")]).toEqual(["4", "3"]);
    expect([existsSync(path), existsSync(`${path}.3`)]).toEqual([false, false]);
  });

  test("one file means that old lines go", async () => {
    writeFileSync(path, "old");
    await shiftLogs(path, 1);
    expect(existsSync(`${path}.1`)).toBe(false);
  });

  test("tells at what pace a log grows, also when it began anew", () => {
    const kept = { size: 1000, seenMs: 0, perMs: 0 };
    expect(growth(kept, 3000, 1000)).toBe(2);
    expect(growth(kept, 500, 2000)).toBe(1);
    expect(growth(kept, 2500, 2500)).toBe(4);
    // a pause between two bursts is no end
    expect([3000, 3500, 4000].map((now) => growth(kept, 2500, now))).toEqual([2, 1, 0.5]);
  });

  test("is not put off by containers that start all the time", async () => {
    writeFileSync(path, "x".repeat(100));
    const told: string[] = [];
    const rotation = new LogRotation(
      {
        containers: { find: () => ({ bundle: join(folder, "gone") }) },
        logger: { warn: (text: string) => told.push(text) },
      } as unknown as RuntimeContext,
      () => undefined,
    );
    rotation.keep("full", path, { maxSize: 10, maxFiles: 3 });
    const starts = (): boolean => {
      rotation.keep("other", join(folder, "other"), { maxSize: 10, maxFiles: 3 });
      return existsSync(`${path}.1`);
    };
    for (const end = performance.now() + 20_000; !starts() && performance.now() < end; ) await Bun.sleep(100);
    rotation.close();
    expect(existsSync(`${path}.1`)).toBe(true);
  }, 30_000);

  test("what hinders it is told once, and again when it comes back", async () => {
    writeFileSync(path, "x".repeat(100));
    const told: string[] = [];
    const hinders = [true, true, false, true];
    const find = (): undefined => {
      if (hinders.shift()) throw new Error("full");
    };
    const logger = { warn: (_: string, { error }: { error: string }) => told.push(error) };
    const context = { containers: { find }, logger } as unknown as RuntimeContext;
    const rotation = new LogRotation(context, () => undefined);
    rotation.keep("full", path, { maxSize: 10, maxFiles: 3 });
    for (const end = performance.now() + 20_000; hinders.length > 0 && performance.now() < end; ) {
      rotation.keep("other", join(folder, "other"), { maxSize: 10, maxFiles: 3 }); // the next look comes sooner
      await Bun.sleep(50);
    }
    rotation.close();
    expect(told).toEqual(["full", "full"]);
  }, 30_000);
});
