/**
 * Other engines and tools on this machine, for tests of exchange: Docker and Podman where `BERTH_PEERS` names a folder with
 * their starters (`enter NETNS COMMAND…`, `podman …`, a daemon at /opt/peers/run/docker-peer.sock); skopeo there or on
 * the PATH. Each sees the registry at the same address of its own loopback.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Outcome, run, type TestEngine } from "./engine.ts";
import type { TestRegistry } from "./registry.ts";
import { comesTrue } from "./until.ts";

export interface Peer {
  name: "docker" | "podman" | "skopeo";
  run(...args: string[]): Promise<Outcome>;
  /** Fails unless it succeeds; its output without white space around it. */
  ok(...args: string[]): Promise<string>;
}

const folder = process.env["BERTH_PEERS"];
const dockerSocket = "/opt/peers/run/docker-peer.sock";
const namespaces = ["docker-peer", "podman-peer"];

export const havePeers =
  folder !== undefined && existsSync(join(folder, "enter")) && existsSync(dockerSocket);
export const haveSkopeo = havePeers || Bun.which("skopeo") !== null;

function peer(name: Peer["name"], call: (args: string[]) => Promise<Outcome>): Peer {
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await call(args);
    if (code !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  };
  return { name, run: (...args) => call(args), ok };
}

const timeoutMs = 120_000;
const starter = (name: string): string => resolve(folder ?? "", name);

export const docker = (): Peer =>
  peer("docker", (args) =>
    run(["docker", ...args], { env: { DOCKER_HOST: `unix://${dockerSocket}` }, timeoutMs }),
  );

export const podman = (): Peer => peer("podman", (args) => run([starter("podman"), ...args], { timeoutMs }));

export const skopeo = (engine: TestEngine): Peer =>
  peer("skopeo", (args) =>
    havePeers
      ? run([starter("enter"), "docker-peer", "skopeo", ...args], { timeoutMs })
      : engine.run(["skopeo", ...args], { timeoutMs }),
  );

/** Serves the registry's folder on the loopback of the peers too. Gives what ends that. */
export async function showToPeers(registry: TestRegistry): Promise<() => Promise<void>> {
  const command = ["docker-registry", "serve", join(registry.folder, "config.yml")];
  const children = (havePeers ? namespaces : []).map((name) =>
    Bun.spawn(["nsenter", `--net=/run/netns/${name}`, "--", ...command], {
      stdout: "ignore",
      stderr: "ignore",
    }),
  );
  for (const name of havePeers ? namespaces : []) {
    const url = `http://${registry.address}/v2/`;
    const ask = ["nsenter", `--net=/run/netns/${name}`, "--", "curl", "-s", "-o", "/dev/null", url];
    if (!(await comesTrue(async () => (await run(ask)).code === 0)))
      throw new Error(`the registry did not start in ${name}`);
  }
  return async () => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.exited));
  };
}
