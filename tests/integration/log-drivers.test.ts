/** Log drivers that hand lines on: what arrives at services made here, and that an outage loses nothing. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, type TestEngine } from "../harness/engine.ts";
import {
  countedIn,
  counter,
  endLogEngine,
  journal,
  type LogServer,
  options,
  serveLogs,
  startLogEngine,
  until,
} from "../harness/log-server.ts";

setDefaultTimeout(120_000);

let engine: TestEngine;
const serve = (kind: string, where: string, file?: string): Promise<LogServer> =>
  serveLogs(engine, kind, where, file);

beforeAll(async () => {
  engine = await startLogEngine();
});

afterAll(() => endLogEngine(engine));

test("syslog over TCP carries both streams with their priorities, and docker logs still works", async () => {
  const server = await serve("tcp", "5140");
  await engine.ok(
    ...["run", "--name", "sys", "--log-driver", "syslog"],
    ...options({ "syslog-address": "tcp://127.0.0.1:5140", tag: "{{.Name}}/{{.ImageName}}" }),
    ...["busybox", "sh", "-c", "echo hello; echo wrong >&2; echo; printf unended"],
  );
  const text = await until(server, (all) => all.includes("unended"));
  expect(text).toMatch(/^<30>\w{3} [ \d]\d \d\d:\d\d:\d\d sys\/busybox\[\d+\]: hello$/m);
  expect(text).toMatch(/^<27>.*: wrong$/m);
  expect(text.split("\n").length).toBe(4);
  const { stdout } = await engine.berth("logs", "sys");
  expect(stdout).toBe("hello\n\nunended");
  expect(await engine.ok("inspect", "-f", "{{.LogPath}}{{.HostConfig.LogConfig.Type}}", "sys")).toBe(
    "syslog",
  );
  await engine.ok("rm", "sys");
  await server.stop();
});

test("syslog speaks RFC 5424 over UDP and to a datagram socket", async () => {
  const udp = await serve("udp", "5141");
  await engine.ok(
    ...["run", "--rm", "--log-driver", "syslog"],
    ...options({
      "syslog-address": "udp://127.0.0.1:5141",
      "syslog-format": "rfc5424micro",
      "syslog-facility": "local3",
      tag: "t",
    }),
    ...["busybox", "echo", "over udp"],
  );
  expect(await until(udp, (all) => all.includes("over udp"))).toMatch(
    /^<158>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\S+ \S+ t \d+ t - over udp\n\0$/,
  );
  await udp.stop();
  const path = join(engine.home, "syslog.sock");
  const local = await serve("datagram", path);
  await engine.ok(
    ...["run", "--rm", "--log-driver", "syslog"],
    ...options({ "syslog-address": `unixgram://${path}` }),
    ...["busybox", "echo", "over unixgram"],
  );
  expect(await until(local, (all) => all.includes("over unixgram"))).toMatch(
    /^\d+\n<30>.*: over unixgram\n$/,
  );
  await local.stop();
});

test("GELF over TCP and over UDP, compressed and in chunks", async () => {
  const tcp = await serve("tcp", "12201");
  await engine.ok(
    ...["run", "--rm", "--name", "gelf", "--label", "team=x", "-e", "FOO=bar", "--log-driver", "gelf"],
    ...options({ "gelf-address": "tcp://127.0.0.1:12201", labels: "team", "env-regex": "^FO" }),
    ...["busybox", "sh", "-c", "echo hello; echo wrong >&2"],
  );
  const text = await until(tcp, (all) => all.includes("wrong") && all.endsWith("\0"));
  const messages = text
    .split("\0")
    .filter(Boolean)
    .map((json) => JSON.parse(json) as Record<string, unknown>);
  expect(messages).toHaveLength(2);
  expect(messages.find(({ level }) => level === 6)).toMatchObject({
    version: "1.1",
    short_message: "hello",
    _container_name: "gelf",
    _image_name: "busybox",
    _team: "x",
    _FOO: "bar",
  });
  expect(messages.find(({ level }) => level === 3)).toMatchObject({ short_message: "wrong" });
  await tcp.stop();

  const udp = await serve("udp", "12202");
  await engine.ok(
    ...["run", "--rm", "--log-driver", "gelf"],
    ...options({ "gelf-address": "udp://127.0.0.1:12202", "gelf-compression-type": "none" }),
    ...["busybox", "sh", "-c", "head -c 5000 /dev/zero | tr '\\0' x; echo"],
  );
  const chunks = await until(udp, (all) => (all.match(/\x1e\x0f/g) ?? []).length === 4);
  expect(chunks).toContain("xxx");
  await udp.stop();
});

test("fluentd gets an event a line, acknowledged where that is asked for", async () => {
  const server = await serve("fluentd-ack", "24224");
  await engine.ok(
    ...["run", "--rm", "--name", "fl", "--log-driver", "fluentd"],
    ...options({
      "fluentd-request-ack": "true",
      "fluentd-sub-second-precision": "true",
      tag: "app.{{.Name}}",
    }),
    ...["busybox", "sh", "-c", "echo hello; echo wrong >&2"],
  );
  const text = await until(server, (all) => all.includes("wrong") && all.includes("chunk"));
  for (const part of [
    "app.fl",
    "container_name\xa3/fl",
    "source\xa6stdout",
    "log\xa5hello",
    "source\xa6stderr",
  ])
    expect(text).toContain(part);
  await server.stop();
});

test("journald gets its fields, and long entries as files", async () => {
  const server = await serve("datagram", journal);
  await engine.ok(
    ...["run", "--rm", "--name", "jr", "--label", "my.team=x", "--log-driver", "journald"],
    ...options({ labels: "my.team", tag: "{{.Name}}" }),
    ...["busybox", "sh", "-c", "echo hello; head -c 20000 /dev/zero | tr '\\0' y; echo; echo wrong >&2"],
  );
  const text = await until(
    server,
    (all) => all.includes("MESSAGE=wrong") && all.includes("PARTIAL_LAST=true"),
  );
  for (const field of [
    "PRIORITY=6\n",
    "PRIORITY=3\n",
    "CONTAINER_NAME=jr\n",
    "CONTAINER_TAG=jr\n",
    "IMAGE_NAME=busybox\n",
    "SYSLOG_IDENTIFIER=jr\n",
    "MY_TEAM=x\n",
    "MESSAGE=hello\n",
    "CONTAINER_PARTIAL_MESSAGE=true\n",
    `MESSAGE=${"y".repeat(16 * 1024)}\n`,
    `MESSAGE=${"y".repeat(20000 - 16 * 1024)}\n`,
  ])
    expect(text).toContain(field);
  expect(text).toMatch(/CONTAINER_ID=[0-9a-f]{12}\nCONTAINER_ID_FULL=[0-9a-f]{64}\n/);
  await server.stop();
});

test("a start fails when nobody answers, in Docker's words, and not where that is not asked for", async () => {
  const refused = async (driver: string, opts: Record<string, string>): Promise<string> => {
    const { code, stderr } = await engine.berth(
      ...["run", "--rm", "--log-driver", driver],
      ...options(opts),
      ...["busybox", "true"],
    );
    expect(code).toBe(125);
    return stderr;
  };
  const before = "failed to create task for container: failed to initialize logging driver: ";
  expect(await refused("syslog", { "syslog-address": "tcp://127.0.0.1:1" })).toContain(
    `${before}dial tcp 127.0.0.1:1: connect: connection refused`,
  );
  expect(await refused("gelf", { "gelf-address": "tcp://127.0.0.1:1" })).toContain(
    `${before}gelf: cannot connect to GELF endpoint: 127.0.0.1:1 dial tcp 127.0.0.1:1: connect: connection refused`,
  );
  expect(await refused("fluentd", { "fluentd-address": "127.0.0.1:1" })).toContain("connection refused");
  await rm(journal, { force: true });
  expect(await refused("journald", {})).toContain(`${before}journald is not enabled on this host`);
  expect(await refused("syslog", { "syslog-address": "udp://127.0.0.1", tag: "{{.Foo}}" })).toContain(
    `${before}template: log-tag:1:2: executing "log-tag" at <.Foo>: can't evaluate field Foo in type *logger.Info`,
  );
  await engine.ok(
    ...["run", "--log-driver", "fluentd", "--name", "async"],
    ...options({ "fluentd-async": "true", "fluentd-address": "127.0.0.1:1" }),
    ...["busybox", "true"],
  );
  await engine.ok("rm", "async");
});

test("a service that goes away and comes back misses nothing", async () => {
  const file = join(engine.home, "outage");
  let server = await serve("tcp", "5142", file);
  await engine.ok(
    ...["run", "-d", "--name", "outage", "--log-driver", "syslog"],
    ...options({ "syslog-address": "tcp://127.0.0.1:5142" }),
    ...["busybox", "sh", "-c", counter(600, "usleep 5000;")],
  );
  await until(server, (all) => countedIn(all).size > 50);
  await server.stop();
  await Bun.sleep(500);
  server = await serve("tcp", "5142", file);
  const text = await until(server, (all) => countedIn(all).has(599));
  expect(countedIn(text).size).toBe(600);
  await server.stop();
  await engine.ok("rm", "-f", "outage");
});

test("lines of a container that ended while no engine ran, or nobody listened, come later", async () => {
  const file = join(engine.home, "late");
  let server = await serve("tcp", "5144", file);
  await engine.ok(
    ...["run", "-d", "--name", "late", "--log-driver", "syslog"],
    ...options({ "syslog-address": "tcp://127.0.0.1:5144" }),
    ...["busybox", "sh", "-c", `sleep 1; ${counter(100, "")}`],
  );
  await server.stop();
  await engine.stop("SIGKILL");
  await Bun.sleep(1500);
  await engine.start();
  server = await serve("tcp", "5144", file);
  const text = await until(server, (all) => countedIn(all).has(99));
  expect(countedIn(text).size).toBe(100);
  await engine.ok("rm", "late");
  await server.stop();
});

test("syslog over TLS, with an authority of its own", async () => {
  if (!Bun.which("openssl")) return console.log("SKIPPED: no openssl on the PATH");
  const file = join(engine.home, "secure");
  const made = await run([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost", "-keyout", `${file}.key`, "-out", `${file}.crt`],
  ]);
  expect(made.code).toBe(0);
  await writeFile(
    `${file}.pem`,
    (await readFile(`${file}.key`, "utf8")) + (await readFile(`${file}.crt`, "utf8")),
  );
  const server = await serve("tls", "5145", file);
  const secure = { "syslog-address": "tcp+tls://localhost:5145", "syslog-format": "rfc5424" };
  const trusting = options({ ...secure, "syslog-tls-ca-cert": `${file}.crt` });
  await engine.ok(
    ...["run", "--rm", "--log-driver", "syslog"],
    ...trusting,
    ...["busybox", "echo", "secret"],
  );
  expect(await until(server, (all) => all.includes("secret"))).toMatch(/^\d+ <30>1 .* - secret$/);
  const { code, stderr } = await engine.berth(
    ...["run", "--rm", "--log-driver", "syslog"],
    ...options(secure),
    ...["busybox", "true"],
  );
  expect([code, stderr]).toEqual([125, expect.stringMatching(/logging driver: .*certificate/)]);
  await server.stop();
});

test("a slow service holds neither the container back nor the engine's end, and gets everything", async () => {
  const server = await serve("slow", "5146");
  await engine.ok(
    ...["run", "--name", "fast", "--log-driver", "syslog"],
    ...options({ "syslog-address": "tcp://127.0.0.1:5146" }),
    ...[
      "busybox",
      "sh",
      "-c",
      "seq 0 149999 | sed 's/.*/count-&-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/'",
    ],
  );
  expect(await engine.stop("SIGTERM")).toBe(0);
  // only now: whatever waited for the service would still be waiting
  server.take();
  await engine.start();
  const text = await until(server, (all) => all.includes("count-149999-"));
  expect(countedIn(text).size).toBe(150_000);
  await engine.ok("rm", "fast");
  await server.stop();
});

test("a container that is started again while its last lines are still to come loses none", async () => {
  const file = join(engine.home, "again");
  let server = await serve("tcp", "5147", file);
  await engine.ok(
    ...["run", "-d", "--name", "again", "--restart", "on-failure:3", "--log-driver", "syslog"],
    ...options({ "syslog-address": "tcp://127.0.0.1:5147" }),
    ...[
      "busybox",
      "sh",
      "-c",
      "n=$(cat /n 2>/dev/null || echo 0); echo $((n+1)) >/n; sleep 0.3; echo count-$n-; exit 1",
    ],
  );
  await server.stop();
  await engine.ok("wait", "again");
  server = await serve("tcp", "5147", file);
  const text = await until(server, (all) => countedIn(all).size === 4);
  expect([...countedIn(text)].sort()).toEqual([0, 1, 2, 3]);
  await engine.ok("rm", "-f", "again"); // its last process may still be about to end
  await server.stop();
});

test("logs are refused where no copy is kept", async () => {
  await engine.ok(
    ...["run", "--name", "nocopy", "--log-driver", "syslog"],
    ...options({ "syslog-address": "udp://127.0.0.1:9", "cache-disabled": "true" }),
    ...["busybox", "echo", "hi"],
  );
  const { code, stderr } = await engine.berth("logs", "nocopy");
  expect([code, stderr]).toEqual([
    1,
    "Error response from daemon: configured logging driver does not support reading\n",
  ]);
  await engine.ok("rm", "nocopy");
});
