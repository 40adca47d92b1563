/** Containers and images that try to harm the host, the engine or each other. Each test shows that one attempt fails. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { call, demultiplex, footprint } from "../harness/api.ts";
import { berth, imageTar, type Outcome, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { comesTrue, until } from "../harness/until.ts";

let engine: TestEngine;
/** a folder of the host that nothing in a container may reach */
let secret: string;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  secret = join(engine.home, "secret");
  await mkdir(secret);
  await writeFile(join(secret, "key"), "the host's own\n");
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

const inBusybox = (script: string, ...flags: string[]): Promise<Outcome> =>
  engine.berth("run", "--rm", ...flags, "busybox", "sh", "-c", script);

/** Imports busybox with changes that a script makes in its root. */
async function image(name: string, script: string, ...changes: string[]): Promise<void> {
  const folder = join(engine.home, "image");
  const commands = `rm -rf ${folder} && mkdir ${folder} && cd ${folder} && tar xf ${await imageTar("busybox")} && ${script}`;
  const made = await run(["bash", "-ec", `${commands}\ntar -C ${folder} -cf ${folder}.tar .`]);
  expect(made.stderr).toBe("");
  const flags = ["CMD sh", ...changes].flatMap((change) => ["-c", change]);
  await engine.ok("import", ...flags, `${folder}.tar`, name);
  await run(["rm", "-rf", folder, `${folder}.tar`]);
}

const sha = async (path: string): Promise<string> =>
  new Bun.CryptoHasher("sha256").update(await readFile(path)).digest("hex");

/** One sentence: what went wrong, on one line, without a stack. */
function sentence(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("Run '"));
  expect(lines.length).toBe(1);
  return lines[0] ?? "";
}

test("a fork bomb stays within --pids-limit, and the engine goes on", async () => {
  const bomb = "bomb() { bomb & bomb & sleep 1000; }; bomb";
  await engine.ok(
    "run",
    "-d",
    "--name",
    "bomb",
    "--pids-limit",
    "40",
    "--cpus",
    "0.5",
    "busybox",
    "sh",
    "-c",
    bomb,
  );
  let most = 0;
  for (let look = 0; look < 20; look++) {
    const top = await call(engine, "GET", "/containers/bomb/top?ps_args=-eo%20pid");
    if (top.status === 200) most = Math.max(most, (top.json()["Processes"] as unknown[]).length);
    await Bun.sleep(50);
  }
  console.log(`at most ${most} processes`);
  expect(most).toBeLessThanOrEqual(40);
  const refused = "can't fork: Resource temporarily unavailable";
  const said = async (): Promise<string> => (await engine.berth("logs", "bomb")).stderr;
  expect(await until(said, (all) => all.includes(refused))).toContain(refused);
  expect((await inBusybox("echo fine")).stdout).toBe("fine\n");
  await engine.ok("rm", "-f", "bomb");
}, 120_000);

test("a container that takes too much memory is killed, and told so", async () => {
  const made = await engine.berth("run", "--name", "oom", "-m", "32m", "busybox", "tail", "/dev/zero");
  expect(made.code).toBe(137);
  expect(await engine.ok("inspect", "-f", "{{.State.OOMKilled}} {{.State.ExitCode}}", "oom")).toBe(
    "true 137",
  );
  await engine.ok("rm", "oom");
}, 120_000);

test("a full disk is told in a sentence, changes nothing, and is over once there is room", async () => {
  const small = join(engine.home, "small");
  const script = `mkdir ${small} && truncate -s 64M ${small}.img && mkfs.ext4 -qF -m 0 ${small}.img && mount -o loop ${small}.img ${small}`;
  expect((await run(["bash", "-ec", script])).stderr).toBe("");
  const other = await startEngine({ images: ["busybox"], flags: ["--data-root", join(small, "data")] });
  try {
    await other.ok("run", "-d", "--name", "witness", "busybox", "sleep", "1000");
    await other.ok("run", "-d", "--name", "leaver", "busybox", "sh", "-c", "sleep 4; exit 6");
    const fill = "echo begins; dd if=/dev/zero of=/fill bs=64k; exit 3";
    await other.ok("run", "-d", "--name", "filler", "busybox", "sh", "-c", fill);
    expect(await other.ok("wait", "filler")).toBe("3");
    expect((await other.ok("logs", "filler")).split("\n")[0]).toBe("begins");
    await run(["dd", "if=/dev/zero", `of=${small}/rest`, "bs=512"]);
    // what ends while nothing can be written down is told all the same
    expect((await call(other, "POST", "/containers/leaver/wait")).json()["StatusCode"]).toBe(6);
    expect((await call(other, "POST", "/containers/witness/stop?t=0")).status).toBe(204);
    expect((await call(other, "POST", "/containers/witness/start")).status).toBeOneOf([204, 500]);
    expect((await call(other, "POST", "/containers/leaver/rename?name=left")).status).toBe(204);
    for (const name of ["witness", "left"])
      expect((await call(other, "DELETE", `/containers/${name}?force=1`)).status).toBe(204);
    // a removal makes room, which is filled again
    const room = async (): Promise<number> => {
      await run(["sh", "-c", `dd if=/dev/zero bs=512 >>${small}/rest2 2>/dev/null`]);
      const { bavail } = await statfs(small);
      await Bun.sleep(500);
      return (await statfs(small)).bavail - bavail;
    };
    const fillUp = async () => expect(await until(room, (more) => more === 0)).toBe(0);
    await fillUp();
    for (let attempt = 0; attempt < 3; attempt++) {
      const refused = await other.berth("run", "--name", "late", "busybox", "true");
      console.log(refused.stderr.trim());
      expect(refused.code).toBe(125);
      expect(sentence(refused.stderr)).toMatch(/no space left on device|disk is full/i);
      // where there was room for the create alone its container stays, as with Docker
      if ((await call(other, "DELETE", "/containers/late?force=1")).status === 204) await fillUp();
      const imported = await other.berth("import", await imageTar("busybox"), "more");
      expect(imported.code).toBe(1);
      expect(sentence(imported.stderr)).toMatch(/no space left on device|disk is full/i);
    }
    expect((await other.api("/_ping")).ok).toBe(true);
    expect(await other.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")).toBe("filler exited");
    expect(await other.ok("images", "-q")).not.toContain("\n");
    await rm(`${small}/rest`);
    await rm(`${small}/rest2`);
    await other.ok("rm", "filler");
    await comesTrue(async () => (await other.berth("run", "--rm", "busybox", "true")).code === 0);
    expect(await other.ok("run", "--rm", "busybox", "echo", "room")).toBe("room");
    expect(await other.ok("ps", "-aq")).toBe("");
  } finally {
    await other.destroy();
    await run(["umount", small]);
  }
}, 120_000);

test("50 MB without a newline go through the logs unchanged, with bounded memory", async () => {
  const before = (await footprint(engine)).residentMb;
  const size = 50 << 20;
  const command = ["busybox", "sh", "-c", `head -c ${size} /dev/zero | tr '\\0' x`];
  await engine.ok("run", "-d", "--name", "line", "--log-opt", "max-size=1g", ...command);
  expect(await engine.ok("wait", "line")).toBe("0");
  const { status, body } = await call(engine, "GET", "/containers/line/logs?stdout=1");
  const text = demultiplex(body);
  expect([status, text.length, text.indexOf("x"), text.lastIndexOf("x")]).toEqual([200, size, 0, size - 1]);
  expect(text.equals(Buffer.alloc(size, "x"))).toBe(true);
  expect((await footprint(engine)).residentMb - before).toBeLessThan(200);
  await engine.ok("rm", "line");
}, 120_000);

test("every byte comes through attach and logs as it was written", async () => {
  const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7 + (index >> 8)) % 256));
  await writeFile(join(engine.home, "bytes"), bytes);
  const mount = ["-v", `${join(engine.home, "bytes")}:/bytes:ro`];
  const child = Bun.spawn(
    engine.inNetwork([berth, "run", "--name", "bytes", ...mount, "busybox", "cat", "/bytes"]),
    {
      env: { ...process.env, DOCKER_HOST: engine.host },
      stdout: "pipe",
    },
  );
  expect(Buffer.from(await new Response(child.stdout).arrayBuffer()).equals(bytes)).toBe(true);
  const { body } = await call(engine, "GET", "/containers/bytes/logs?stdout=1");
  expect(demultiplex(body).equals(bytes)).toBe(true);
  await engine.ok("rm", "bytes");
});

test("a name is refused for every odd character, wherever it is given", async () => {
  const odd = [
    "a",
    "",
    "-a",
    "_a",
    ".a",
    "..",
    "a/b",
    "/a/b",
    "a b",
    "a\nb",
    "a\0b",
    "é",
    "a\u202eb",
    "💥",
    "a%b",
    "a\\b",
  ];
  const more = [
    "a:b",
    "a@b",
    "a;b",
    "$(id)",
    "`id`",
    "a'b",
    'a"b',
    "a|b",
    "<a>",
    "a*",
    "a?",
    "~a",
    "a\r\nX-Y: z",
    "\uFEFFab",
  ];
  for (const name of [...odd.slice(2), ...more]) {
    const made = await call(engine, "POST", `/containers/create?name=${encodeURIComponent(name)}`, {
      Image: "busybox",
    });
    expect({ name, status: made.status }).toEqual({ name, status: 400 });
    expect(made.message()).toContain("Invalid container name");
    const volume = await call(engine, "POST", "/volumes/create", { Name: name });
    expect({ name, status: volume.status }).toEqual({ name, status: 400 });
    for (const path of ["json", "logs?stdout=1", "top", "changes"]) {
      const looked = await call(engine, "GET", `/containers/${encodeURIComponent(name)}/${path}`);
      // one with a slash is another path, which is told its clean form
      expect([301, 400, 404]).toContain(looked.status);
    }
  }
  const long = "n".repeat(3000);
  expect((await call(engine, "GET", `/containers/${long}/json`)).status).toBe(404);
  for (const path of [
    "/containers/../../etc/passwd/json",
    "/containers/%2e%2e%2f%2e%2e/json",
    "/volumes/..%2f..",
  ])
    expect((await call(engine, "GET", path)).status).not.toBe(200);
  expect(await engine.ok("ps", "-aq")).toBe("");
  expect(await engine.ok("volume", "ls", "-q")).toBe("");
}, 120_000);

/** Descriptors of a process, with what they are; the folder that `ls` itself has open aside. */
const listDescriptors = "for fd in /proc/self/fd/* /proc/1/fd/*; do echo $fd $(readlink $fd); done";

function strangers(output: string): string[] {
  return output.split("\n").filter((line) => {
    const [path = "", target = ""] = line.split(" ");
    if (target === "" || /\/fd\/[012]$/.test(path)) return false;
    // the shell's own pipe of a substitution, and the script folder it reads
    return !/^(pipe:|\/proc\/)/.test(target);
  });
}

test("no descriptor of the host is open in a container, in an exec, with or without a terminal", async () => {
  await engine.ok("run", "-d", "--name", "open", "busybox", "sleep", "1000");
  await engine.ok("run", "-dt", "--name", "terminal", "busybox", "sleep", "1000");
  const outputs = [
    (await inBusybox(listDescriptors)).stdout,
    (await engine.run([berth, "run", "--rm", "-i", "busybox", "sh", "-c", listDescriptors], { input: "x" }))
      .stdout,
    await engine.ok("exec", "open", "sh", "-c", listDescriptors),
    await engine.ok("exec", "terminal", "sh", "-c", listDescriptors),
    (
      await engine.run([
        "script",
        "-qec",
        `${berth} exec -it terminal sh -c '${listDescriptors}'`,
        "/dev/null",
      ])
    ).stdout,
  ];
  for (const output of outputs) {
    expect(output).toContain("/proc/1/fd/0");
    expect(strangers(output)).toEqual([]);
  }
  // their number too, as the kernel tells it from outside
  const pid = await engine.ok("inspect", "-f", "{{.State.Pid}}", "open");
  expect((await readdir(`/proc/${pid}/fd`)).toSorted()).toEqual(["0", "1", "2"]);
  await engine.ok("rm", "-f", "open", "terminal");
}, 120_000);

test("no working folder leads out through a leaked descriptor (CVE-2024-21626)", async () => {
  await image(
    "leaky",
    "ln -s /proc/self/fd/7/../../../.. out && ln -s /proc/self/fd/8 eight",
    "WORKDIR /eight",
  );
  await engine.ok("run", "-d", "--name", "inside", "busybox", "sleep", "1000");
  const climb = `for up in . ./.. ./../.. ./../../.. ./../../../.. ./../../../../../../../..; do
    cat $up${secret}/key && echo ESCAPED; done 2>/dev/null; true`;
  const folders = Array.from({ length: 14 }, (_, index) => `/proc/self/fd/${index + 3}`);
  const more = ["/proc/1/cwd", "/proc/self/cwd/../..", "/proc/thread-self/root/..", "/out", "/eight"];
  const told: string[] = [];
  for (const folder of [...folders, ...more]) {
    const ran = await engine.berth("run", "--rm", "-w", folder, "leaky", "sh", "-c", climb);
    const entered = await engine.berth("exec", "-w", folder, "inside", "sh", "-c", climb);
    told.push(ran.stdout, entered.stdout);
  }
  told.push((await engine.berth("run", "--rm", "leaky", "sh", "-c", climb)).stdout);
  expect(told.join("")).not.toMatch(/ESCAPED|the host's own/);
  await engine.ok("rm", "-f", "inside");
}, 120_000);

test("the host's programs cannot be overwritten through /proc/…/exe (CVE-2019-5736)", async () => {
  const programs = ["crun", "conmon"].map((name) => Bun.which(name) ?? "").concat(berth);
  const before = await Promise.all(programs.map(sha));
  // every process that shows up in the container is tried for writing, again and again
  const attack = `while :; do for p in /proc/[0-9]*; do
    [ $p = /proc/1 ] || [ $p = /proc/$$ ] || { printf pwned >> $p/exe; } 2>/dev/null; done; done`;
  await engine.ok("run", "-d", "--name", "attacker", "--cpus", "1", "busybox", "sh", "-c", attack);
  for (let round = 0; round < 8; round++) {
    await engine.berth("exec", "attacker", "true");
    await engine.berth("exec", "attacker", "/proc/self/exe", "--version");
  }
  await engine.ok("rm", "-f", "attacker");
  // as the first process it would be the runtime itself that runs
  await image("exe", "ln -s /proc/self/exe bin/own", 'ENTRYPOINT ["/bin/own"]');
  for (const command of [["exe"], ["busybox", "/proc/self/exe", "--version"]]) {
    const { stdout } = await engine.berth("run", "--rm", ...command);
    expect(stdout).not.toContain("crun");
  }
  expect(await Promise.all(programs.map(sha))).toEqual(before);
}, 120_000);

test("nothing is mounted over or inside /proc, whatever the image has there", async () => {
  for (const target of ["/proc", "/proc/sys", "/proc/self/attr", "/./proc", "/tmp/../proc"]) {
    const { code, stdout } = await engine.berth(
      "run",
      "--rm",
      "-v",
      `fake:${target}`,
      "busybox",
      "echo",
      "ran",
    );
    expect({ target, code, stdout }).toEqual({ target, code: expect.any(Number), stdout: "" });
    expect(code).toBeGreaterThan(0);
  }
  await engine.berth("volume", "rm", "fake");
  await image("linked-proc", "rmdir proc && mkdir not-proc && ln -s not-proc proc");
  const { stdout } = await engine.berth("run", "--rm", "linked-proc", "sh", "-c", "mount; echo ran");
  // refused, or a real procfs with all its masks
  if (stdout.includes("ran")) {
    const masked = await engine.berth(
      "run",
      "--rm",
      "linked-proc",
      "sh",
      "-c",
      "cat /proc/kcore | head -c 1 | wc -c",
    );
    expect(masked.stdout.trim()).toBe("0");
    expect(stdout).not.toMatch(/proc on \/not-proc .*rw.*\n(?!.*kcore)$/);
  }
}, 120_000);

test("links where the engine mounts or writes lead nowhere outside the container", async () => {
  await mkdir(join(secret, "folder"), { recursive: true });
  const up = `/proc/1/root${secret}`;
  const places: [string, string][] = [
    ["hosts", `rm -f etc/hosts && ln -s ${secret}/key etc/hosts`],
    ["resolv", `rm -f etc/resolv.conf && ln -s ${secret}/new-resolv etc/resolv.conf`],
    ["hostname", `rm -f etc/hostname && ln -s ${secret}/new-hostname etc/hostname`],
    ["etc", `rm -r etc && ln -s ${secret}/folder etc`],
    ["dev", `rm -r dev && ln -s ${secret}/folder dev`],
    ["sys", `rm -r sys && ln -s ${secret}/folder sys`],
    ["passwd", `rm etc/passwd && ln -s ${up}/key etc/passwd`],
    ["workdir", `ln -s ${secret}/folder work`],
  ];
  for (const [name, script] of places) {
    await image(`link-${name}`, script);
    const flags = name === "workdir" ? ["-w", "/work/made"] : ["-v", "kept:/dev/made", "-w", "/etc/made"];
    const command =
      "echo written > /etc/hosts; echo written > /etc/resolv.conf; echo written > /dev/x; cat /etc/passwd; echo ran";
    const { stdout } = await engine.berth("run", "--rm", ...flags, `link-${name}`, "sh", "-c", command);
    expect({ name, stdout }).toEqual({ name, stdout: expect.not.stringContaining("the host's own") });
    expect({ name, found: (await readdir(secret)).toSorted() }).toEqual({ name, found: ["folder", "key"] });
    expect({ name, found: await readdir(join(secret, "folder")) }).toEqual({ name, found: [] });
  }
  expect(await readFile(join(secret, "key"), "utf8")).toBe("the host's own\n");
  await engine.berth("volume", "rm", "kept");
}, 120_000);

/** major:minor of the disk the host runs from */
async function disk(): Promise<[string, string]> {
  const line = (await readFile("/proc/partitions", "utf8"))
    .split("\n")
    .find((text) => /\b(vd|sd|xvd|nvme)/.test(text));
  const [, major = "8", minor = "0"] = /^\s*(\d+)\s+(\d+)/.exec(line ?? "") ?? [];
  return [major, minor];
}

test("a disk is no use to a container, made there or brought in its image", async () => {
  const [major, minor] = await disk();
  await image(
    "disk",
    `mknod disk b ${major} ${minor} && chmod 666 disk && mknod memory c 1 1 && chmod 666 memory`,
  );
  const tries = `for d in /disk /memory /made; do [ -e $d ] || mknod $d b ${major} ${minor}; head -c 16 $d | wc -c; done;
    echo x > /disk || echo refused; mount -t ext4 /disk /mnt || mount /disk /tmp || echo refused`;
  const { stdout, stderr } = await engine.berth("run", "--rm", "disk", "sh", "-c", tries);
  expect(stdout).toBe("0\n0\n0\nrefused\nrefused\n");
  expect(stderr).toMatch(/Operation not permitted|not permitted|denied/i);
});

test("setuid programs gain nothing with no-new-privileges, and the host's users cannot reach them", async () => {
  await image(
    "setuid", // busybox gives the right up by itself; a program of the host's, with its libraries, does not
    `head=$(which head) && for file in $head $(ldd $head | grep -o '/[^ ]*'); do cp -L --parents $file .; done
    mkdir s && cp $head s/head && chmod 4755 s/head`,
  );
  const show = ["--user", "1000", "setuid", "/s/head", "-n", "12", "/proc/self/status"];
  expect(await engine.ok("run", "--rm", ...show)).toMatch(/Uid:\s+1000\s+0/);
  expect(await engine.ok("run", "--rm", "--security-opt", "no-new-privileges", ...show)).toMatch(
    /Uid:\s+1000\s+1000/,
  );
  const info = (await call(engine, "GET", "/info")).json();
  const root = String(info["DockerRootDir"]);
  expect((await stat(root)).mode & 0o007).toBe(0);
  await run(["chmod", "755", engine.home]);
  const other = await run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "ls", root]);
  expect(other.code).not.toBe(0);
});

test("what Docker masks is masked, and what it makes read-only is read-only", async () => {
  const files = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts", "/proc/sched_debug"];
  const read = `for f in ${files.join(" ")}; do [ -e $f ] && cat $f | head -c 1 | wc -c; done`;
  expect(new Set((await inBusybox(read)).stdout.trim().split("\n"))).toEqual(new Set(["0"]));
  const folders =
    "for d in /sys/firmware /proc/acpi /proc/scsi /sys/devices/virtual/powercap; do [ -d $d ] && ls $d; done; true";
  expect((await inBusybox(folders)).stdout).toBe("");
  const writes = `for f in /proc/sysrq-trigger /proc/sys/kernel/hostname /proc/irq/0/x /proc/bus/x /proc/fs/x /sys/kernel/x
    /proc/sys/kernel/core_pattern /sys/fs/cgroup/x /sys/kernel/mm/ksm/run; do { echo x > $f; } 2>/dev/null && echo wrote $f; done; true`;
  expect((await inBusybox(writes)).stdout).toBe("");
});

test("without --privileged there is no mount, module, namespace, clock, or host process", async () => {
  const attempts = [
    "mount -t tmpfs none /mnt",
    "mount -t proc proc /tmp",
    "mount --bind / /tmp",
    "mount -o remount,rw /proc/sys",
    "umount /proc/kcore",
    "umount /etc/hosts",
    "unshare -m true",
    "unshare -U true",
    "unshare -r true",
    "nsenter -t 1 -m true",
    "hostname other",
    "swapoff -a /dev/vda",
    "ip link add dummy0 type dummy",
    "iptables -L",
    "sysctl -w kernel.panic=5",
    "chroot /proc/1/root /bin/sh -c 'ls /proc/2'",
    "insmod /x.ko",
    "dmesg -c",
    "echo 1 > /sys/fs/cgroup/memory/release_agent",
    "mkdir $(ls -d /sys/fs/cgroup/memory || echo /sys/fs/cgroup)/x",
    "nice -n -5 true",
  ];
  const script = attempts.map((line, index) => `{ ${line}; } >/dev/null 2>&1 && echo ${index}`).join("\n");
  const { stdout } = await inBusybox(`: > /x.ko\n${script}\ntrue`);
  const done = stdout
    .split("\n")
    .filter(Boolean)
    .map((index) => attempts[Number(index)]);
  // a chroot into itself is no way out
  expect(done.filter((line) => !line?.startsWith("chroot"))).toEqual([]);
  const { stdout: seen } = await inBusybox("ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; true");
  expect(Number(seen.split("\n")[0])).toBeLessThan(6);
  expect(seen.split("\n")[1]).toBe("sh");
  const facts = await inBusybox("grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status");
  expect(facts.stdout).toMatch(/CapEff:\s+00000000a80425fb/);
  expect(facts.stdout).toMatch(/Seccomp:\s+2/);
});

test("a container cannot signal, trace or enter a process of the host", async () => {
  const host = Bun.spawn(["sleep", "1000"]);
  try {
    const { stdout } = await inBusybox(
      `kill -9 ${host.pid}; ls /proc/${host.pid} 2>/dev/null; ls -d /proc/1/root${secret} 2>/dev/null; true`,
    );
    expect(stdout).toBe("");
    expect(host.exitCode).toBe(null);
  } finally {
    host.kill();
    await host.exited;
  }
});

test("nothing is left of all this", async () => {
  expect(await engine.ok("ps", "-aq")).toBe("");
  await engine.stop("SIGTERM");
  expect(
    await until(
      () => engine.leftovers(),
      (all) => all.length === 0,
    ),
  ).toEqual([]);
  await engine.start();
}, 120_000);
