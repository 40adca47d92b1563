import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { comesTrue } from "../../../tests/harness/until.ts";
import { checkOut } from "./git.ts";

const path = process.env["PATH"] ?? "";
const source = { ref: "", subdir: "", submodules: false, checksum: "", keepGitDir: false };
const remote = "ssh://git@127.0.0.1:1/x.git";
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-git-"));
});

afterEach(async () => {
  process.env["PATH"] = path;
  await rm(folder, { recursive: true, force: true });
});

/** An `ssh` that git finds first. */
async function useSsh(script: string): Promise<void> {
  const programs = join(folder, "bin");
  await mkdir(programs);
  await writeFile(join(programs, "ssh"), `#!/bin/sh\n${script}\n`);
  await chmod(join(programs, "ssh"), 0o755);
  process.env["PATH"] = `${programs}:${path}`;
}

const fetchWith = (agent: string, signal = new AbortController().signal): Promise<unknown> =>
  checkOut({ ...source, remote }, join(folder, "scratch"), signal, agent);

test("no shell reads the path of an SSH agent, whatever it is", async () => {
  await useSsh(`printf %s "$SSH_AUTH_SOCK" >'${folder}/agent'; exit 255`);
  for (const agent of [`/x';touch '${folder}/ran';'`, `/$(touch ${folder}/ran)\n"\``, "/it's/agent.sock"]) {
    await expect(fetchWith(agent)).rejects.toThrow("git fetch");
    expect(await readFile(join(folder, "agent"), "utf8")).toBe(agent);
  }
  expect(await readdir(folder)).not.toContain("ran");
});

test("an SSH agent is a path from the root on", async () => {
  for (const agent of ["", "agent.sock", "SSH_AUTH_SOCK", "/a\0b"])
    await expect(fetchWith(agent)).rejects.toThrow("is no path of an SSH agent's socket");
});

test("what git started ends with the build", async () => {
  await useSsh(`echo $$ >'${folder}/pid.new'; mv '${folder}/pid.new' '${folder}/pid'; exec sleep 300`);
  const stop = new AbortController();
  const fetching = fetchWith("/agent.sock", stop.signal);
  fetching.catch(() => undefined);
  expect(await comesTrue(() => existsSync(join(folder, "pid")))).toBe(true);
  const pid = (await readFile(join(folder, "pid"), "utf8")).trim();
  stop.abort(new Error("the client is gone"));
  await expect(fetching).rejects.toThrow("the client is gone");
  expect(await comesTrue(() => hasEnded(pid))).toBe(true);
});

/** Gone, or waiting for its parent to ask. */
const hasEnded = (pid: string): boolean => {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    return (error as { code?: unknown }).code !== undefined;
  }
};

test("a password reaches the remote's host, and stands in no process's arguments", async () => {
  const asked: (string | null)[] = [];
  const seen: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      asked.push(request.headers.get("authorization"));
      for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name)))
        seen.push(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
      const challenge = { "www-authenticate": 'Basic realm="x"' };
      return new Response("", { status: asked.at(-1) ? 404 : 401, headers: challenge });
    },
  });
  try {
    const url = `http://us%20er:p%40$s3cret@127.0.0.1:${server.port}/x.git`;
    const fetching = checkOut(
      { ...source, remote: url },
      join(folder, "scratch"),
      AbortSignal.timeout(30_000),
    );
    await expect(fetching).rejects.toThrow("not found");
  } finally {
    await server.stop(true);
  }
  expect(asked).toContain(`Basic ${btoa("us er:p@$s3cret")}`);
  expect(seen.some((line) => line.includes("/x.git"))).toBe(true);
  expect(seen.filter((line) => line.includes("s3cret"))).toEqual([]);
});
