import { expect, test } from "bun:test";
import { createLogger, type LogOptions } from "./log.ts";

function lines(options: Pick<LogOptions, "level" | "format">): {
  lines: string[];
  log: ReturnType<typeof createLogger>;
} {
  const written: string[] = [];
  return { lines: written, log: createLogger({ ...options, write: (line) => written.push(line) }) };
}

test("a text line quotes what has spaces and leaves out what is undefined", () => {
  const { lines: written, log } = lines({ level: "info", format: "text" });
  log.warn("it failed", { container: "a b", code: 3, none: undefined });
  expect(written[0]).toMatch(/^time=\S+ level=warn msg="it failed" container="a b" code=3\n$/);
});

test("a newline in a value cannot forge a line", () => {
  const { lines: written, log } = lines({ level: "info", format: "text" });
  log.info("x\nlevel=error", { name: "a\nb" });
  expect(written.join("").split("\n").length).toBe(2);
});

test("levels below the chosen one are not written", () => {
  const { lines: written, log } = lines({ level: "warn", format: "json" });
  log.info("quiet");
  log.error("loud", { n: 1 });
  expect(written.length).toBe(1);
  expect(JSON.parse(written[0] ?? "")).toMatchObject({ level: "error", msg: "loud", n: 1 });
});
