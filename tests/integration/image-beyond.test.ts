import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DifferenceLine, GcAnswer, LayerLine, VerifyLine } from "../../src/types/image-report.ts";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import { startRegistry } from "../harness/registry.ts";

/** What can be done with images that Docker has no command for. */
setDefaultTimeout(120_000);

let engine: TestEngine;

async function committed(base: string, name: string, script: string): Promise<void> {
  await engine.ok("run", "--name", "making", base, "sh", "-c", script);
  await engine.ok("commit", "making", name);
  await engine.ok("rm", "making");
}

const linesOf = <Line>(text: string): Line[] => text.split("\n").map((line) => JSON.parse(line) as Line);

beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  await committed(
    "busybox",
    "im:1",
    "echo hi >/f; mkdir /d; seq 10000 >/d/big; ln /d/big /d/link; ln -s big /d/sym",
  );
  await committed(
    "im:1",
    "im:2",
    "rm -r /d; mkdir /d; echo new >/d/new; echo hoho >/f; chmod 700 /home; rm /bin/ar",
  );
  await committed("im:2", "im:3", "echo x >/d/x; ln /d/x /y; touch -d 2001-01-01 /f");
});

afterAll(() => engine.destroy());

test("layers tell what they add, change, hide and waste", async () => {
  const lines = linesOf<LayerLine>(await engine.ok("image", "layers", "--json", "im:3")).slice(1);
  expect(lines.slice(1)).toEqual([
    { layer: 1, added: 5, changed: 0, hidden: 0, addedBytes: 48_894 + 3, wastedBytes: 0 },
    { layer: 2, added: 1, changed: 2, hidden: 4, addedBytes: 9, wastedBytes: 48_894 + 3 },
    { layer: 3, added: 2, changed: 1, hidden: 0, addedBytes: 7, wastedBytes: 5 },
  ]);
  const files = await engine.ok("image", "layers", "--files", "im:3");
  for (const line of [
    "D       0B  /bin/ar -> busybox",
    "A       4B  /d/new",
    "C       5B  /f  (3B wasted below)",
  ])
    expect(files).toContain(line);
  expect(files).toMatch(/D +48\.9kB {2}\/d\/big {2}\(48\.9kB wasted below\)/);
});

test("two images' files are compared by what they are, not by their times", async () => {
  const lines = linesOf<DifferenceLine>(await engine.ok("image", "diff", "--json", "im:1", "im:3"));
  expect(lines.map(({ kind, path, bytes }) => `${kind} ${path} ${bytes}`)).toEqual([
    "removed /bin/ar 0",
    "removed /d/big -48894",
    "removed /d/link 0",
    "added /d/new 4",
    "removed /d/sym 0",
    "added /d/x 2",
    "changed /f 2",
    "changed /home 0",
    "added /y 0",
  ]);
  await committed("im:3", "im:same", "cat /f >/g; mv /g /f; touch /d/x");
  expect(await engine.ok("image", "diff", "-q", "im:3", "im:same")).toBe("");
  await committed("im:3", "im:other", "echo hihi >/f");
  expect(await engine.ok("image", "diff", "-q", "im:3", "im:other")).toBe("/f");
  await engine.ok("rmi", "im:same", "im:other");
});

test("squashing keeps every file, above a base or altogether", async () => {
  for (const [tag, args, layers] of [
    ["sq:above", ["--from", "busybox"], 2],
    ["sq:all", [], 1],
  ] as const) {
    await engine.ok("image", "squash", ...args, "-t", tag, "im:3");
    expect(await engine.ok("image", "diff", "-q", "im:3", tag)).toBe("");
    const stack = await engine.ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", tag);
    expect(JSON.parse(stack)).toHaveLength(layers);
    const shown = await engine.ok(
      "run",
      "--rm",
      tag,
      "sh",
      "-c",
      "cat /f /d/x; ls /d; stat -c %h /y; ls -d /bin/ar 2>&1; true",
    );
    expect(shown).toBe("hoho\nx\nnew\nx\n2\nls: /bin/ar: No such file or directory");
    expect(await engine.ok("image", "verify", "-q", tag)).toMatch(/ 0 damaged, 0 repaired$/);
  }
  const { code, stderr } = await engine.berth("image", "squash", "--from", "sq:all", "im:3");
  expect([code, stderr]).toEqual([1, expect.stringContaining("im:3 does not stand on sq:all")]);
  await engine.ok("rmi", "sq:above", "sq:all");
});

test("the tree shows what stands on what", async () => {
  const lines = (await engine.ok("image", "tree"))
    .split("\n")
    .map((line) => line.replace(/ {2}[0-9a-f]{12}.*/, ""));
  expect(lines).toEqual(["busybox:latest", "└── im:1", "    └── im:2", "        └── im:3"]);
});

test("what is pinned stays through every prune and policy, and a plain rmi", async () => {
  await engine.ok("tag", "busybox", "keep:1");
  await committed("busybox", "gone:1", "echo >/gone");
  expect(await engine.ok("pin", "im:3")).toBe("im:3");
  const { stderr } = await engine.berth("rmi", "im:3");
  expect(stderr).toMatch(/conflict: unable to delete [0-9a-f]{12} \(must be forced\) - image is pinned/);
  await engine.ok("tag", "im:3", "im:another");
  expect(await engine.ok("rmi", "im:another")).toBe("Untagged: im:another");
  expect(await engine.ok("image", "prune", "-af")).toContain("untagged: gone:1");
  await engine.ok("system", "prune", "-af");
  await engine.ok("gc", "--unused-for", "1ms");
  expect(await engine.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).toContain("im:3");
  await engine.stop("SIGTERM");
  await engine.start();
  expect(await engine.ok("pin")).toContain("im:3");
  await engine.ok("unpin", "im:3");
  expect(await engine.ok("pin")).toBe("");
});

test("gc removes what is unused the longest, and says before what it would do", async () => {
  for (const number of [1, 2, 3])
    await committed("im:3", `gc:${number}`, `dd if=/dev/urandom of=/big bs=1M count=2 2>/dev/null`);
  await engine.ok("create", "--name", "user", "gc:1");
  const total = (await engine.ok("system", "df", "--format", "{{.Type}} {{.Size}}")).split("\n");
  expect(total.length).toBeGreaterThan(0);
  const dry = JSON.parse(await engine.ok("gc", "--dry-run", "--json", "--unused-for", "1ms")) as GcAnswer;
  expect(dry.removed.flatMap(({ tags }) => tags)).toEqual(["gc:2", "gc:3"]);
  expect(dry.bytes).toBe(2 * 2 ** 21);
  expect(dry.kept.map(({ reason }) => reason).join()).toMatch(/container [0-9a-f]{12} uses it/);
  const since = String(Math.floor(Date.now() / 1000));
  const done = JSON.parse(await engine.ok("gc", "--json", "--unused-for", "1ms")) as GcAnswer;
  expect(done.removed.map(({ id }) => id)).toEqual(dry.removed.map(({ id }) => id));
  expect(done.bytes).toBe(dry.bytes);
  const events = [
    "events",
    "--since",
    since,
    "--until",
    String(Math.ceil(Date.now() / 1000)),
    "--filter",
    "event=gc",
  ];
  expect(
    await engine.ok(...events, "--format", "{{.Actor.Attributes.removed}} {{.Actor.Attributes.reclaimed}}"),
  ).toBe(`2 ${2 * 2 ** 21}`);
  const { code, stderr } = await engine.berth("gc");
  expect([code, stderr.trim()]).toEqual([1, "gc needs --keep-size, --min-free or --unused-for"]);
  await engine.ok("rm", "user");
  await engine.ok("rmi", "gc:1");
});

/** The file of the image's topmost layer, behind the engine's back. */
async function fileOf(image: string, path: string): Promise<string> {
  const db = new Database(join(engine.home, "data/state.db"), { readonly: true });
  const layers = JSON.parse(
    await engine.ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", image),
  ) as string[];
  const row = db
    .query<{ folder: string }, [string]>("SELECT folder FROM layers WHERE diff_id = ?")
    .get(layers.at(-1) ?? "");
  db.close();
  return join(engine.home, "data/layers", row?.folder ?? "", "diff", path);
}

test("verify finds a damaged layer and says who stands on it", async () => {
  const file = await fileOf("im:3", "d/x");
  expect(readFileSync(file, "utf8")).toBe("x\n");
  writeFileSync(file, "y\n");
  const { code, stdout } = await engine.berth("image", "verify", "--json");
  const [problem, ...rest] = linesOf<VerifyLine>(stdout.trim()).filter((line) => "problem" in line);
  expect([code, rest]).toEqual([1, []]);
  expect(problem).toMatchObject({ kind: "layer", images: ["im:3"] });
  expect(problem && "problem" in problem ? problem.problem : "").toContain("is damaged");
  const saved = await engine.berth("save", "-o", join(engine.home, "im.tar"), "im:3");
  expect([saved.code, existsSync(join(engine.home, "im.tar"))]).toEqual([1, false]);
  expect(saved.stderr).toMatch(
    /^failed to save image: layer sha256:\w+ is damaged: .*\n'berth image verify --repair im:3' pulls/,
  );
  writeFileSync(file, "x\n");
  expect(await engine.ok("image", "verify", "-q", "im:3")).toMatch(/^4 layers and 1 images read: 0 damaged/);
});

test("names and ages that mean nothing are one sentence", async () => {
  expect(await engine.berth("image", "verify", "nosuch")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: "Error response from daemon: No such image: nosuch:latest\n",
  });
  expect((await engine.berth("gc", "--unused-for", "-1h")).stderr).toBe("invalid age: '-1h'\n");
});

test("verify repairs from the registry, also below a container that runs", async () => {
  const registry = await startRegistry(engine, { port: 5013 });
  try {
    const name = "127.0.0.1:5013/im:3";
    await engine.ok("tag", "im:3", name);
    await engine.ok("push", "-q", name);
    await engine.ok("run", "-d", "--name", "standing", name, "sleep", "100");
    writeFileSync(await fileOf(name, "d/x"), "y\n");
    const told = await engine.ok("image", "verify", "-q", "--repair", name);
    expect(told).toMatch(/repaired .* from 127\.0\.0\.1:5013\/im/);
    expect(told).toMatch(/1 damaged, 1 repaired$/);
    expect(await engine.ok("run", "--rm", name, "cat", "/d/x")).toBe("x");
    expect(await engine.ok("exec", "standing", "cat", "/f")).toBe("hoho");
    await engine.ok("rm", "-f", "standing");
    expect(await engine.ok("image", "verify", "-q")).toMatch(/ 0 damaged, 0 repaired$/);
    await engine.ok("rmi", name);
  } finally {
    await registry.destroy();
  }
});

test("a policy of daemon.json collects by itself", async () => {
  await engine.ok("tag", "busybox", "policy:1").catch(() => engine.ok("tag", "im:3", "policy:1"));
  const config = join(engine.home, "daemon.json");
  writeFileSync(config, JSON.stringify({ gc: { "unused-for": "1ms", every: "1s" } }));
  await engine.stop("SIGTERM");
  engine.flags.push("--config-file", config);
  await engine.start();
  while ((await engine.ok("images", "-q")) !== "") await Bun.sleep(100);
  expect(existsSync(join(engine.home, "data/layers"))).toBe(true);
  // two are the engine's own
  while (readdirSync(join(engine.home, "data/layers")).length > 2) await Bun.sleep(50);
});
