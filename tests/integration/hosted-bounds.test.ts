/** Command lines in the engine whose senders are hostile, slow or gone, and an engine that is stopped meanwhile. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../src/lib/wire/hosted-command.ts";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { answerOf, buildOf, hosted, post } from "../harness/hosted-client.ts";
import { until } from "../harness/until.ts";

setDefaultTimeout(120_000);
let engine: TestEngine;
let build: string;

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"], flags: ["-H", "tcp://127.0.0.1:2399"] });
  build = await buildOf(engine.socket);
}, 120_000);

afterAll(() => engine?.destroy());

/** Does not end for TERM. */
const stubborn = (name: string): string[] => [
  "run",
  "-d",
  "--name",
  name,
  "busybox",
  "sh",
  "-c",
  "trap : TERM; sleep 600 & while :; do wait; done",
];

const body = (args: string[]): Uint8Array =>
  encodeCommand({
    build,
    folder: "/",
    terminals: [false, false, false],
    window: { rows: 0, columns: 0 },
    variables: new Map([["HOME", "/nonexistent"]]),
    args,
  });

/** The engine answers others while and after it is asked. */
const alive = async (): Promise<void> => expect((await engine.api("/_ping")).status).toBe(200);

test.each([
  ["nothing", new Uint8Array(0), 400],
  ["no end of its strings", new TextEncoder().encode("x".repeat(1000)), 400],
  ["empty strings alone", new Uint8Array(60_000), 400],
  ["more than the limit", new Uint8Array(80_000), 413],
  ["bytes that are no UTF-8", new Uint8Array([0x61, 0, 0x2f, 0, 0xff, 0xfe, 0]), 400],
])("a body of %s is refused", async (_what, bytes, status) => {
  expect(await answerOf(post(engine.socket, bytes))).toMatchObject({ status });
  await alive();
});

test("a body that never comes holds up nobody", async () => {
  const socket = connect(engine.socket);
  socket.write(
    "POST /berth/command HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: berth-command\r\nContent-Length: 900\r\n\r\nabc",
  );
  await alive();
  expect(await hosted(engine.socket, build, ["ps", "-q"])).toMatchObject({ status: 101, code: 0 });
  socket.destroy();
});

test("variables that nobody asked for, and the last words of another build, are refused", async () => {
  expect(
    await hosted(engine.socket, build, ["ps"], { variables: new Map([["LD_PRELOAD", "x"]]) }),
  ).toMatchObject({
    status: 409,
  });
  expect(await hosted(engine.socket, `${build}x`, ["ps"])).toMatchObject({ status: 409 });
});

test("hundreds of names are an error of the command's, and the engine goes on", async () => {
  const names = Array.from({ length: 900 }, (_none, index) => `no-such-${index}`);
  const answer = await hosted(engine.socket, build, ["rm", ...names]);
  expect(answer.code).toBe(1);
  expect(answer.stderr.split("\n").filter(Boolean)).toHaveLength(900);
  await alive();
});

test("a command line of any length goes back to its process unread", async () => {
  const long = "1".repeat(50_000);
  expect(await hosted(engine.socket, build, ["create", "--cpus", `${long}x`, "busybox"])).toMatchObject({
    status: 409,
  });
  const many = Array.from({ length: 9000 }, () => "-la");
  expect(await hosted(engine.socket, build, ["create", ...many, "busybox"])).toMatchObject({ status: 409 });
});

test("requests that do not let go of their connection take no places of those that do", async () => {
  const bytes = body(["stop", "nope"]);
  const head = `POST /berth/command HTTP/1.1\r\nHost: x\r\nUpgrade: berth-command\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  for (let sent = 0; sent < 70; sent++) {
    const socket = connect(engine.socket);
    socket.on("error", () => undefined); // the engine ends it
    socket.write(Buffer.concat([Buffer.from(head), bytes]));
    socket.resume();
    await once(socket, "close");
  }
  expect(await hosted(engine.socket, build, ["stop", "nope"])).toMatchObject({ status: 101, code: 1 });
});

test("over TCP no command runs", async () => {
  const script = "exec 3<>/dev/tcp/127.0.0.1/2399; cat >&3; head -c 30 <&3";
  const head = `POST /berth/command HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: berth-command\r\nContent-Length: ${body(["ps"]).length}\r\n\r\n`;
  const { stdout } = await engine.run(["bash", "-c", script], {
    input: Buffer.concat([Buffer.from(head), body(["ps"])]),
  });
  expect(stdout).toStartWith("HTTP/1.1 409 ");
});

test("a client that reads nothing keeps what it asked for waiting, and nobody else", async () => {
  for (let made = 0; made < 8; made++)
    await engine.ok("create", "--name", `long-${made}`, "busybox", "echo", "x".repeat(20_000));
  const slow = post(engine.socket, body(["ps", "-a", "--no-trunc"]));
  slow.pause();
  await alive();
  expect(await hosted(engine.socket, build, ["ps", "-aq"])).toMatchObject({ code: 0 });
  slow.resume();
  const { stdout } = await answerOf(slow);
  expect(stdout.split("\n").filter((line) => line.includes("x".repeat(20_000)))).toHaveLength(8);
});

/** What comes first is the 101, and it comes before anything changes. */
const accepted = (socket: Socket): Promise<unknown> => once(socket, "data");

test("a client that goes in the middle of its command leaves an engine that works", async () => {
  await engine.ok(...stubborn("first"));
  await engine.ok(
    "create",
    "--name",
    "sick",
    "--health-cmd",
    "false",
    "--health-interval",
    "600s",
    "busybox",
    "sleep",
    "600",
  );
  for (const args of [
    ["start", "--wait", "sick"],
    ["stop", "-t", "300", "first"],
  ]) {
    const going = post(engine.socket, body(args));
    await accepted(going);
    going.destroy();
  }
  await engine.ok("kill", "first");
  const isRunning = (): Promise<string> => engine.ok("ps", "-q", "--filter", "name=sick");
  expect(await until(isRunning, (id) => id !== "")).not.toBe("");
  await alive();
});

test("an engine that is stopped does not wait for a command that waits", async () => {
  await engine.ok(...stubborn("third"));
  const waiting = post(engine.socket, body(["stop", "-t", "300", "third"]));
  const closed = once(waiting, "close");
  waiting.on("error", () => undefined); // the connection is cut
  await accepted(waiting);
  expect(await engine.stop("SIGTERM")).toBe(0); // a test that waited for the 300 s would be late
  await closed;
  await engine.start();
});
