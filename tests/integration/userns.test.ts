/** `userns-remap`: containers whose root is nobody on the host, over the same layers as all others. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { startEngine, type TestEngine } from "../harness/engine.ts";

setDefaultTimeout(120_000);

/** of `games`, who is a user and a group of every Debian */
const first = 300_000;
let folder: string;
let engine: TestEngine;

/** A mount namespace in which files of /etc are ours, by their names; engines come and go in it. */
async function holdFiles(files: Readonly<Record<string, string>>): Promise<Bun.Subprocess> {
  const binds = Object.entries(files).map(
    ([name, file]) => `mount --bind --make-private ${file} /etc/${name}`,
  );
  const script = `${binds.join(" && ")} && echo ready && exec sleep infinity`;
  const held = Bun.spawn(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = held.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  if (!value) throw new Error("no mount namespace could be made");
  return held;
}

let holder: Bun.Subprocess;
const within = (): string[] => ["nsenter", `--mount=/proc/${holder.pid}/ns/mnt`, "--"];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-userns-"));
  const ranges = join(folder, "ranges");
  await writeFile(
    ranges,
    `other:1:2\nvisitor:600000:65536\ngames:${first}:1000\ngames:${first + 5000}:64536\n`,
  );
  const users = join(folder, "users");
  await writeFile(users, `${await readFile("/etc/passwd", "utf8")}visitor:x:54321:60::/:/bin/sh\n`);
  holder = await holdFiles({ subuid: ranges, subgid: ranges, passwd: users });
  engine = await startEngine({
    images: ["busybox"],
    flags: ["--userns-remap", "games"],
    wrapper: within(),
  });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
  holder.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
}, 120_000);

const shell = (script: string, ...flags: string[]): Promise<string> =>
  engine.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script);

test("a container's root is another user on the host, and root in the container", async () => {
  expect(await engine.ok("info", "--format", "{{.SecurityOptions}}")).toContain("name=userns");
  await engine.ok("run", "-d", "--name", "root", "busybox", "sleep", "1000");
  const pid = await engine.ok("inspect", "-f", "{{.State.Pid}}", "root");
  expect(await readFile(`/proc/${pid}/status`, "utf8")).toContain(`\nUid:\t${first}\t${first}`);
  const map = (await readFile(`/proc/${pid}/uid_map`, "utf8")).trim().split(/\s+/).map(Number);
  expect(map).toEqual([0, first, 1000, 1000, first + 5000, 64536]);
  const seen = await engine.ok(
    "exec",
    "root",
    "sh",
    "-c",
    "id -u; stat -c %u:%g / /bin/busybox /etc/hosts /dev/pts",
  );
  expect(seen.split("\n")).toEqual(["0", "0:0", "0:0", "0:0", "0:0"]);
});

test("its files have its own ids wherever they come out: cp, diff, export, commit, other containers", async () => {
  await engine.ok(
    "run",
    "--name",
    "files",
    "-w",
    "/made/here",
    "busybox",
    "sh",
    "-c",
    "touch a b; chown 5:6 a; chown 2000 b",
  );
  const owners = (archive: string): Promise<string> =>
    engine
      .run([
        "sh",
        "-c",
        `${archive} | tar tv --numeric-owner | awk '{print $2, $NF}' | grep -E ' (made/)?(here/)?[ab]?$'`,
      ])
      .then(({ stdout }) => stdout);
  const { stdout: copied } = await engine.run([
    "sh",
    "-c",
    "docker cp files:/made/here - | tar tv --numeric-owner",
  ]);
  expect(copied.split("\n").flatMap((line) => line.split(/\s+/)[1] ?? [])).toEqual(["0/0", "5/6", "2000/0"]);
  expect(await owners("docker export files")).toContain("5/6 made/here/a");
  expect((await engine.ok("diff", "files")).split("\n")).toEqual([
    "A /made",
    "A /made/here",
    "A /made/here/a",
    "A /made/here/b",
  ]);
  await engine.ok("commit", "files", "committed");
  for (const flags of [[], ["--userns", "host"]]) {
    const told = await engine.ok(
      "run",
      "--rm",
      ...flags,
      "committed",
      "stat",
      "-c",
      "%u:%g",
      "/made/here",
      "/made/here/a",
      "/made/here/b",
    );
    expect(told.split("\n")).toEqual(["0:0", "5:6", "2000:0"]);
  }
  // into it: whose is nobody's in the container's map is refused, and leaves nothing
  const put = (uid: number): Promise<{ code: number; stderr: string }> =>
    engine.run([
      "sh",
      "-c",
      `tar c --owner=${uid} --group=7 -C ${folder} ranges | docker cp -a - files:/made`,
    ]);
  expect((await put(70)).code).toBe(0);
  expect((await put(70_000)).stderr).toContain("failed to Lchown");
  const { stdout: after } = await engine.run([
    "sh",
    "-c",
    "docker cp files:/made - | tar tv --numeric-owner",
  ]);
  expect(after).toMatch(/ 70\/7 .*made\/ranges/);
});

test("capabilities of files count, and come out as they went in", async () => {
  const rest = "00200000000000000000000000000000";
  const writer = join(folder, "caps.ts");
  await writeFile(
    writer,
    `import { openSync } from "node:fs";
     import { setXattrRaw } from ${JSON.stringify(join(import.meta.dir, "../../src/system/files/xattr.ts"))};
     const fd = openSync(process.argv[2] ?? "", "r");
     process.exit(-setXattrRaw(fd, "security.capability", Buffer.from("01000002${rest}", "hex")));`,
  );
  await engine.ok(
    "create",
    "--name",
    "capable",
    "-u",
    "1000",
    "busybox",
    "/in/busybox",
    "grep",
    "CapEff",
    "/proc/self/status",
  );
  const script = `
    mkdir -p ${folder}/in && cd ${folder} && docker cp capable:/bin/busybox in/busybox
    ${process.execPath} caps.ts ${folder}/in/busybox
    tar c --xattrs --xattrs-include='security.*' in | docker cp -a - capable:/
    docker start -a capable
    docker cp capable:/in/busybox - | head -c 1536 | od -An -v -tx1 | tr -d ' \n'`;
  const { stdout, stderr } = await engine.run(["sh", "-c", script]);
  expect(stderr).not.toContain("rror");
  expect(stdout).toContain("0000000000002000\n");
  expect(stdout).toContain(`01000002${rest}`);
});

test("its root changes nothing of the host's devices, by name or by what it was given to read and write", async () => {
  const before = await stat("/dev/null");
  const script =
    "for at in /dev/null /dev/zero /proc/self/fd/0 /proc/self/fd/1; do chown 7 $at; chmod 0 $at; done; chown 0 /dev/full; true";
  await engine.ok("run", "--rm", "busybox", "sh", "-c", script);
  await engine.ok(
    "run",
    "--name",
    "detached",
    "-d",
    "-u",
    "5",
    "busybox",
    "sh",
    "-c",
    `${script}; sleep 1000`,
  );
  await engine.ok("exec", "-u", "0", "detached", "sh", "-c", script);
  await engine.ok("exec", "-d", "detached", "sh", "-c", script);
  await engine.run(["sh", "-c", `docker run --rm -i busybox sh -c '${script}' < /dev/null > /dev/null 2>&1`]);
  const after = await stat("/dev/null");
  expect([after.uid, after.gid, after.mode]).toEqual([before.uid, before.gid, before.mode]);
  expect([before.uid, before.mode & 0o777]).toEqual([0, 0o666]);
});

test("volumes are the container's root's; binds of the host's are not shifted", async () => {
  await shell("touch /v/a; chown 8:9 /v/a", "-v", "data:/v");
  for (const flags of [[], ["--userns", "host"]])
    expect(await shell("stat -c %u:%g /v /v/a", "-v", "data:/v", ...flags)).toBe("0:0\n8:9");
  // filled from the image
  expect(await shell("stat -c %u:%g /etc /etc/passwd", "-v", "filled:/etc")).toBe("0:0\n0:0");
  const bound = join(folder, "bound");
  await mkdir(bound);
  await writeFile(join(bound, "hosts-own"), "");
  expect(await shell("stat -c %u /b/hosts-own; touch /b/x 2>&1 | grep -c denied", "-v", `${bound}:/b`)).toBe(
    "65534\n1",
  );
  await chown(bound, first, first);
  await chmod(bound, 0o700);
  await shell("touch /b/x", "-v", `${bound}:/b`);
  expect((await stat(join(bound, "x"))).uid).toBe(first);
});

test("its network is its own to change, and is shared only with who shares its user namespace", async () => {
  expect(
    await shell("ip link set eth0 mtu 1300 && cat /sys/class/net/eth0/mtu", "--cap-add", "NET_ADMIN"),
  ).toBe("1300");
  expect(await shell("cat /proc/sys/net/ipv4/ping_group_range")).toBe("0\t65535");
  await engine.ok("run", "-d", "--name", "donor", "busybox", "sleep", "1000");
  for (const kind of ["--network", "--pid"])
    expect(await shell("cat /proc/self/uid_map | wc -l; id -u", kind, "container:donor")).toBe("2\n0");
  await engine.ok("run", "-d", "--name", "outside", "--userns", "host", "busybox", "sleep", "1000");
  const joined = await engine.berth("run", "--rm", "--network", "container:outside", "busybox", "true");
  expect(joined.stderr).toContain("is in the host's user namespace");
});

test("what needs the host's own user namespace is refused in Docker's words, and had with --userns host", async () => {
  const cases = [
    [["--privileged"], "privileged mode is incompatible with user namespaces"],
    [["--network", "host"], "cannot share the host's network namespace when user namespaces are enabled"],
    [["--pid", "host"], "cannot share the host PID namespace when user namespaces are enabled"],
  ] as const;
  for (const [flags, sentence] of cases) {
    const refused = await engine.berth("run", "--rm", ...flags, "busybox", "true");
    expect([refused.code, refused.stderr]).toEqual([125, expect.stringContaining(sentence)]);
    await shell("true", ...flags, "--userns", "host");
  }
});

test("the data root, what lies in it and what holds it cannot be bound, by whatever name", async () => {
  const root = await engine.ok("info", "--format", "{{.DockerRootDir}}");
  const link = join(folder, "link");
  await symlink(dirname(root), link);
  const bind = (source: string, more = ""): string[] => [
    "--mount",
    `type=bind,source=${source},target=/x${more}`,
  ];
  const volume = (source: string): string[] => [
    "--mount",
    `type=volume,target=/x,volume-opt=type=none,volume-opt=o=rbind,volume-opt=device=${source}`,
  ];
  const refusedAs = "cannot be mounted with user namespaces (userns-remap)";
  const cases = [
    ["-v", "/:/x"],
    ["-v", `${dirname(root)}:/x:ro`],
    ["-v", `${root}:/x`],
    ["-v", `${root}/remapped/volumes:/x`],
    ["-v", `${root}/not/there:/x`],
    ["-v", `${link}:/x`],
    bind("/"),
    bind("/", ",bind-recursive=disabled"),
    bind(`${link}/${basename(root)}`),
    volume(dirname(root)),
  ];
  for (const flags of cases) {
    const refused = await engine.berth("create", ...flags, "busybox");
    expect([flags, refused.code, refused.stderr]).toEqual([flags, 1, expect.stringContaining(refusedAs)]);
    expect(refused.stderr).toContain(root);
  }
  expect(await shell("ls /x", "--userns", "host", "-v", `${root}:/x`)).toContain("remapped");
  // what is asked of the daemon again at each start: a link that leads elsewhere by then
  await rm(link);
  await mkdir(join(folder, "harmless"));
  await symlink(join(folder, "harmless"), link);
  await engine.ok("create", "--name", "turned", "-v", `${link}:/x`, "busybox", "true");
  await engine.ok("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", `device=${link}`, "turned");
  await engine.ok("create", "--name", "turned-volume", "-v", "turned:/x", "busybox", "true");
  for (const name of ["turned", "turned-volume"]) await engine.ok("start", "-a", name);
  await rm(link);
  await symlink("/", link);
  for (const name of ["turned", "turned-volume"])
    expect((await engine.berth("start", name)).stderr).toContain(refusedAs);
});

test("a build's steps are remapped too, and their files are not", async () => {
  const context = join(folder, "context");
  await mkdir(context);
  const lines = [
    "FROM busybox AS one",
    "RUN [ $(wc -l < /proc/self/uid_map) = 2 ] && mkdir /o && echo s > /o/s && chmod 600 /o/s",
    "FROM busybox",
    "RUN --mount=type=cache,target=/c --mount=type=bind,from=one,source=/o,target=/o cat /o/s > /c/s && cp /c/s /s && chown 3:4 /s",
    "RUN --mount=type=bind,target=/x,rw touch /x/new && [ $(stat -c %u /x/Dockerfile) = 0 ]",
    "WORKDIR /w",
  ];
  await writeFile(join(context, "Dockerfile"), lines.join("\n"));
  await engine.ok("build", "-q", "-t", "built", context);
  expect(await engine.ok("run", "--rm", "--userns", "host", "built", "stat", "-c", "%u:%g", "/s", "/w")).toBe(
    "3:4\n0:0",
  );
});

test("a killed engine's remapped containers run on, and another map does not reach them", async () => {
  const script = "touch /mine /kept/a; ln -s /kept /link; sleep 1000";
  await engine.ok("run", "-d", "--name", "lives", "-v", "kept:/kept", "busybox", "sh", "-c", script);
  await engine.ok("exec", "lives", "sh", "-c", "until [ -L /link ]; do sleep 0.1; done");
  await engine.stop("SIGKILL");
  // an administrator's own mode: the engine lets containers' root pass again
  await chmod(join(engine.home, "data"), 0o700);
  await writeFile(join(folder, "ranges"), `games:${first + 100_000}:65536\n`);
  await engine.start();
  expect(await engine.ok("exec", "lives", "stat", "-c", "%u", "/mine")).toBe("0");
  const { stdout } = await engine.run(["sh", "-c", "docker cp lives:/mine - | tar tv --numeric-owner"]);
  expect(stdout).toContain(" 0/0 ");
  // owners of its volumes and name files cannot be told by the new map
  for (const path of ["/kept/a", "/kept", "/", "/etc/hosts"]) {
    const out = await engine.berth("cp", `lives:${path}`, "-");
    expect([out.code, out.stderr]).toEqual([1, expect.stringContaining("restart the container first")]);
  }
  const into = ["lives:/kept", "lives:/kept/new", "lives:/link"];
  for (const target of into)
    expect((await engine.berth("cp", join(folder, "ranges"), target)).code).not.toBe(0);
  expect(await engine.ok("exec", "lives", "ls", "/kept")).toBe("a");
  await engine.ok("cp", join(folder, "ranges"), "lives:/mine-too");
  await engine.ok("restart", "-t", "0", "lives");
  await engine.ok("cp", join(folder, "ranges"), "lives:/kept/new");
  expect(await engine.ok("exec", "lives", "stat", "-c", "%u", "/kept/new", "/mine-too")).toBe("0\n0");
  expect(await engine.ok("exec", "lives", "sh", "-c", "stat -c %u /mine; cat /proc/self/uid_map")).toMatch(
    new RegExp(`^0\n\\s*0\\s+${first + 100_000}\\s+65536$`),
  );
});

test("an engine that cannot map says why it does not start", async () => {
  const starting = startEngine({ flags: ["--userns-remap", "nobody-has-this-name"] });
  expect(starting).rejects.toThrow('Error during uid lookup for "nobody-has-this-name"');
  await starting.catch(() => undefined);
  for (const user of ["visitor:games", "54321:games"]) {
    const login = startEngine({ flags: ["--userns-remap", user], wrapper: within() });
    expect(login).rejects.toThrow("visitor can log in (shell /bin/sh)");
    await login.catch(() => undefined);
  }
  const vfs = startEngine({
    flags: ["--userns-remap", "games", "--storage-driver", "vfs"],
    wrapper: within(),
  });
  expect(vfs).rejects.toThrow("userns-remap needs the storage driver overlay2");
  await vfs.catch(() => undefined);
}, 120_000);
