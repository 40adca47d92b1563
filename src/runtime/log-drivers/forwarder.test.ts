import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../lib/log.ts";
import type { LogMessage } from "../../lib/log-codecs/message.ts";
import type { Destination } from "./destination.ts";
import { Forwarder } from "./forwarder.ts";

let folder: string;
let logPath: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-forwarder-"));
  logPath = join(folder, "x.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const line = (text: string, tag = "F", stream = "stdout"): string =>
  `2026-11-22T05:37:41.369540465+00:00 ${stream} ${tag} ${text}\n`;

class FakeService implements Destination {
  unconfirmed = false;
  brokenAt: number | undefined;
  down = false;
  readonly lines: string[] = [];
  readonly parts: (LogMessage["partial"] | undefined)[] = [];

  async open(): Promise<void> {
    if (this.down) throw new Error("refused");
  }

  async send(messages: readonly LogMessage[]): Promise<void> {
    for (const message of messages) {
      this.lines.push(Buffer.from(message.line).toString());
      this.parts.push(message.partial);
    }
  }

  close(): void {
    this.brokenAt = undefined;
  }
}

const forwarder = (destination: Destination): Forwarder =>
  new Forwarder({
    containerId: "c",
    driver: "test",
    logPath,
    positionPath: join(folder, "driver", "position.json"),
    destination,
    logger: silentLogger,
  });

/** Runs to the end of what is there. */
async function runToEnd(service: FakeService): Promise<void> {
  const one = forwarder(service);
  one.follow(Promise.resolve(), () => undefined);
  expect(await one.drained(5000)).toBe(true);
}

test("what was handed on is not handed on again, over restarts and rotations", async () => {
  const service = new FakeService();
  await writeFile(logPath, line("1") + line("2"));
  await runToEnd(service);
  await appendFile(logPath, line("3"));
  await rename(logPath, `${logPath}.1`);
  await writeFile(logPath, line("4"));
  await runToEnd(service);
  await runToEnd(service);
  expect(service.lines).toEqual(["1", "2", "3", "4"]);
});

test("a line begun before a restart is whole after it", async () => {
  const service = new FakeService();
  await writeFile(logPath, line("be", "P"));
  const first = forwarder(service);
  first.follow(new Promise(() => undefined), () => undefined);
  await Bun.sleep(100);
  await first.stop();
  expect(service.lines).toEqual([]);
  await appendFile(logPath, line("other", "F", "stderr") + line("gun"));
  await runToEnd(service);
  expect(service.lines).toEqual(["other", "begun"]);
});

test("long lines come in parts of 16 KiB, and one that is never ended comes at the end", async () => {
  const service = new FakeService();
  const text = "x".repeat(8000);
  await writeFile(logPath, line(text, "P").repeat(4) + line("end") + line("prompt> ", "P"));
  await runToEnd(service);
  expect(service.lines.map((one) => one.length)).toEqual([16384, 32003 - 16384, 8]);
  expect(service.parts.map((part) => [part?.ordinal, part?.last])).toEqual([
    [1, false],
    [2, true],
    [1, false],
  ]);
});

test("a service that is down gets everything, in order, when it is back", async () => {
  const service = new FakeService();
  service.down = true;
  await writeFile(logPath, line("1") + line("2"));
  const one = forwarder(service);
  one.follow(Promise.resolve(), () => undefined);
  expect(await one.drained(150)).toBe(false);
  service.down = false;
  expect(await one.drained(5000)).toBe(true);
  expect(service.lines).toEqual(["1", "2"]);
});

test("what went into a connection shortly before it broke is told again", async () => {
  const service = new FakeService();
  service.unconfirmed = true;
  await writeFile(logPath, line("1"));
  const one = forwarder(service);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  one.follow(ended, () => undefined);
  while (service.lines.length === 0) await Bun.sleep(5);
  await Bun.sleep(50);
  service.brokenAt = performance.now();
  await appendFile(logPath, line("2"));
  end();
  expect(await one.drained(5000)).toBe(true);
  expect(service.lines).toEqual(["1", "1", "2"]);
});

test("a position that cannot be read means from the beginning, and a cleared log is read anew", async () => {
  const service = new FakeService();
  await writeFile(logPath, line("1") + line("2"));
  await runToEnd(service);
  await writeFile(join(folder, "driver", "position.json"), '{"inode":"x"');
  await runToEnd(service);
  expect(service.lines).toEqual(["1", "2", "1", "2"]);
  await writeFile(logPath, line("3"));
  await runToEnd(service);
  expect(service.lines.at(-1)).toBe("3");
});
