import { describe, expect, test } from "bun:test";
import type { LocalBuildMessage, WireVertex } from "../../../types/local-build.ts";
import type { Display } from "./display.ts";
import { PlainDisplay } from "./plain.ts";
import { RawJsonDisplay } from "./raw-json.ts";
import { TerminalDisplay } from "./terminal.ts";
import { sizeText } from "./trace.ts";
import { warningsText } from "./warnings.ts";

const vertex = (digest: string, name: string, more: Partial<WireVertex> = {}): LocalBuildMessage => ({
  kind: "vertex",
  vertex: { digest, name, inputs: [], cached: false, ...more },
});
const log = (digest: string, text: string, time: number): LocalBuildMessage => ({
  kind: "log",
  vertex: digest,
  stream: 1,
  data: Buffer.from(text).toString("base64"),
  time,
});
const warning = {
  rule: "MaintainerDeprecated",
  short: "Maintainer instruction is deprecated in favor of using label",
  detail: ["The MAINTAINER instruction is deprecated"],
  url: "https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/",
  lines: [{ start: 2, end: 2 }],
  dockerfile: "Dockerfile",
};

/** What a display writes, refreshed after each message. */
function shown(
  open: (write: (text: string) => void) => Display,
  messages: readonly LocalBuildMessage[],
): string {
  let text = "";
  const display = open((more) => {
    text += more;
  });
  for (const message of messages) {
    display.take(message);
    display.refresh();
  }
  display.end();
  return text;
}

const begin = 1_000_000;
const build: LocalBuildMessage[] = [
  vertex("d", "[internal] load build definition from Dockerfile", { started: begin, completed: begin + 20 }),
  { kind: "warning", warning },
  vertex("f", "[1/3] FROM busybox", { started: begin, completed: begin, cached: true }),
  vertex("r", "[2/3] RUN echo"),
  vertex("r", "[2/3] RUN echo", { started: begin + 100 }),
  log("r", "one\ntw", begin + 223),
  log("r", "o\nthree", begin + 12_600),
  vertex("r", "[2/3] RUN echo", { started: begin + 100, completed: begin + 1800 }),
  vertex("c", "[3/3] COPY a /", { started: begin + 1800 }),
  {
    kind: "status",
    status: {
      id: "transferring context:",
      vertex: "c",
      current: 1536,
      total: 0,
      started: begin,
      completed: begin + 300,
    },
  },
  vertex("c", "[3/3] COPY a /", { started: begin + 1800, completed: begin + 1900 }),
];

describe("plain progress", () => {
  test("is a block for each step with its output, times and end", () => {
    const text = shown((write) => new PlainDisplay(write, () => begin + 2000), build);
    expect(text).toBe(`#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s

#1 [internal] load build definition from Dockerfile
#1 WARN: MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)
#1 DONE 0.0s

#2 [1/3] FROM busybox
#2 CACHED

#3 [2/3] RUN echo
#3 0.123 one
#3 0.123 two
#3 12.50 three
#3 DONE 1.7s

#4 [3/3] COPY a /
#4 transferring context: 1.54kB 0.3s done
#4 DONE 0.1s
`);
  });

  test("shows one of several running steps at a time, and a failure's last lines at the end", () => {
    const messages = [
      vertex("a", "[a 2/2] RUN x", { started: begin }),
      log("a", "first\n", begin + 10),
      vertex("b", "[b 2/2] RUN y", { started: begin }),
      log("b", "hidden\n", begin + 20),
      vertex("b", "[b 2/2] RUN y", { started: begin, completed: begin + 50, error: "exit code: 1" }),
      vertex("a", "[a 2/2] RUN x", { started: begin, completed: begin + 60, error: "context canceled" }),
    ];
    const text = shown((write) => new PlainDisplay(write, () => begin + 100), messages);
    expect(text).toBe(`#1 [a 2/2] RUN x
#1 0.010 first
#1 ...

#2 [b 2/2] RUN y
#2 0.020 hidden
#2 ERROR: exit code: 1

#1 [a 2/2] RUN x
#1 CANCELED
------
 > [b 2/2] RUN y:
0.020 hidden
------
`);
  });

  test("tells a step that was not needed from one out of the cache", () => {
    const text = shown(
      (write) => new PlainDisplay(write),
      [vertex("a", "[a 1/1] RUN x", { started: 1, completed: 1, skipped: true })],
    );
    expect(text).toContain("#1 SKIPPED\n");
  });
});

describe("progress on a terminal", () => {
  const size = () => ({ rows: 12, columns: 60 });

  test("is painted over itself and never wider than the terminal", () => {
    const text = shown((write) => new TerminalDisplay(write, size, () => begin + 2000), build);
    const last = text.slice(text.lastIndexOf("[+] Building"));
    expect(last).toStartWith("[+] Building 2.0s (4/4) FINISHED\n");
    expect(last).toContain(" => CACHED [1/3] FROM busybox                           0.0s");
    const lines = text.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, "").split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test("keeps what a step writes from moving the cursor", () => {
    const messages = [
      vertex("a", "[1/1] RUN x", { started: begin }),
      log("a", "\x1b[2Jred\x07\x1b[1A\n", begin),
    ];
    const text = shown((write) => new TerminalDisplay(write, size, () => begin), messages);
    expect(text).toContain("=> # red");
    expect(text).not.toContain("\x1b[2J");
    expect(text).not.toContain("\x1b[1A");
  });
});

test("rawjson is BuildKit's status stream, a JSON object a line", () => {
  const lines = shown((write) => new RawJsonDisplay(write, () => "FROM a\n"), build)
    .trimEnd()
    .split("\n");
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown[]>);
  expect(objects[0]?.["vertexes"]?.[0]).toEqual({
    digest: "d",
    name: "[internal] load build definition from Dockerfile",
    started: "1970-01-01T00:16:40.000Z",
    completed: "1970-01-01T00:16:40.020Z",
  });
  expect(objects[1]?.["warnings"]?.[0]).toMatchObject({
    vertex: "d",
    level: 1,
    range: [{ start: { line: 2 } }],
    sourceInfo: { data: btoa("FROM a\n") },
  });
  expect(objects.flatMap(({ logs = [] }) => logs)).toHaveLength(2);
});

test("warnings are told in short, and at length with --debug", () => {
  expect(warningsText([], "", false)).toBe("");
  expect(warningsText([warning], "FROM a\nMAINTAINER x\n", false)).toBe(
    "\n \x1b[33m1 warning found (use berth --debug to expand):\n\x1b[0m - MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 2)\n",
  );
  const long = warningsText([warning], "FROM a\nMAINTAINER x\n", true);
  expect(long).toContain("More info: https://docs.docker.com");
  expect(long).toContain("   2 | >>> MAINTAINER x");
  expect(long).toContain("\n\x1b[0m - MaintainerDeprecated: ");
  expect(long).toEndWith("--------------------\n\n");
});

test("sizes have two digits behind the point", () => {
  expect([0, 999, 1000, 1536, 2_500_000].map(sizeText)).toEqual(["0B", "999B", "1.00kB", "1.54kB", "2.50MB"]);
});
