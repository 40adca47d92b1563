import { expect, test } from "bun:test";
import { closeSync, writeSync } from "node:fs";
import { makePipe, PipeReader } from "./pipe-reader.ts";
import { watchProcess } from "./process.ts";

const env = { PATH: "/usr/bin:/bin" };

test("what was written before and after the reader came is read, in order, to the end", async () => {
  const { read, write } = makePipe();
  writeSync(write, "one ");
  let text = "";
  const reader = new PipeReader(read, (bytes) => {
    text += Buffer.from(bytes).toString();
  });
  writeSync(write, "two ");
  await Bun.sleep(1);
  writeSync(write, "three");
  closeSync(write);
  await reader.ended;
  expect(text).toBe("one two three");
});

test("a paused reader takes nothing, so that the writer finds the pipe full", async () => {
  let taken = 0;
  let reader: PipeReader | undefined;
  const { read, write } = makePipe();
  reader = new PipeReader(read, (bytes) => {
    taken += bytes.length;
    reader?.pause();
  });
  const child = Bun.spawn(["head", "-c", "3000000", "/dev/zero"], { stdio: ["ignore", write, "ignore"] });
  closeSync(write);
  while (taken === 0) await Bun.sleep(1);
  const atFirst = taken;
  await Bun.sleep(20);
  expect(taken).toBe(atFirst);
  expect(child.exitCode).toBeNull();
  while (child.exitCode === null || taken < 3_000_000) {
    reader.resume();
    await Bun.sleep(0);
  }
  reader.resume();
  await reader.ended;
  expect(taken).toBe(3_000_000);
});

test("finishing takes what is there and does not wait for another who holds the pipe open", async () => {
  const { read, write } = makePipe();
  let text = "";
  const reader = new PipeReader(read, (bytes) => {
    text += Buffer.from(bytes).toString();
  });
  writeSync(write, "last words");
  await reader.finish();
  expect(text).toBe("last words");
  closeSync(write);
});

test("finishing does not wait for one who writes on and on", async () => {
  const { read, write } = makePipe();
  let taken = 0;
  const reader = new PipeReader(read, (bytes) => {
    taken += bytes.length;
  });
  const child = Bun.spawn(["cat", "/dev/zero"], { stdio: ["ignore", write, "ignore"] });
  closeSync(write);
  while (taken === 0) await Bun.sleep(1);
  await reader.finish();
  await child.exited; // of its broken pipe
  expect(child.signalCode).toBe("SIGPIPE");
});

test("one who writes on and on does not keep the others from their turn", async () => {
  const busy = makePipe();
  let taken = 0;
  const flood = new PipeReader(busy.read, (bytes) => {
    taken += bytes.length;
  });
  const child = Bun.spawn(["cat", "/dev/zero"], { stdio: ["ignore", busy.write, "ignore"] });
  closeSync(busy.write);
  while (taken === 0) await Bun.sleep(1);
  const texts = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const { read, write } = makePipe();
      let text = "";
      const reader = new PipeReader(read, (bytes) => {
        text += bytes.toString();
      });
      writeSync(write, `${index} `);
      await Bun.sleep(1);
      writeSync(write, "end");
      closeSync(write);
      await reader.ended;
      return text;
    }),
  );
  expect(texts).toEqual(texts.map((_, index) => `${index} end`));
  expect(child.exitCode).toBeNull();
  flood.close();
  await child.exited;
});

test("finishing loses nothing of what several pipes hold, however full they are, also when paused", async () => {
  const sizes = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const { read, write } = makePipe();
      let taken = 0;
      const reader = new PipeReader(read, (bytes) => {
        taken += bytes.length;
      });
      reader.pause();
      for (let piece = 0; piece < 16; piece++) writeSync(write, Buffer.alloc(4096));
      await reader.finish();
      closeSync(write);
      return taken;
    }),
  );
  expect(sizes).toEqual([65_536, 65_536, 65_536, 65_536, 65_536]);
});

test("a reader that was closed leaves its writer with a broken pipe", async () => {
  const { read, write } = makePipe();
  const reader = new PipeReader(read, () => undefined);
  reader.close();
  await reader.ended;
  expect(() => writeSync(write, "x")).toThrow(/EPIPE/);
  closeSync(write);
});

test("a program can open its output again, and finds its input empty", async () => {
  const said: Record<number, string> = { 1: "", 2: "" };
  const end = await watchProcess({
    argv: ["sh", "-c", "cat; echo out >/dev/stdout; echo err >/dev/stderr; exit 3"],
    env,
    cwd: "/",
    output: (stream, bytes) => {
      said[stream] += Buffer.from(bytes).toString();
    },
  });
  expect(end.exitCode).toBe(3);
  expect(said).toEqual({ 1: "out\n", 2: "err\n" });
});

test("a slow taker holds the program back, and what it throws is told", async () => {
  let taken = 0;
  let most = 0;
  let busy = 0;
  await watchProcess({
    argv: ["head", "-c", "5000000", "/dev/zero"],
    env,
    cwd: "/",
    output: async (_stream, bytes) => {
      most = Math.max(most, ++busy);
      await Bun.sleep(0);
      taken += bytes.length;
      busy--;
    },
  });
  expect(taken).toBe(5_000_000);
  expect(most).toBe(1);
  const failing = watchProcess({
    argv: ["head", "-c", "5000000", "/dev/zero"],
    env,
    cwd: "/",
    output: () => Promise.reject(new Error("the disk is full")),
  });
  await expect(failing).rejects.toThrow("the disk is full");
});
