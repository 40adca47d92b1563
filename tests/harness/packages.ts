/**
 * Debian's packages for builds whose engine has no way out of its network namespace: an HTTP proxy (`http_proxy`, as
 * people behind one give it) that fetches from the machine's own mirror and keeps what it fetched, so that every build of
 * a run sees the same archive. It answers GET alone.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const cache = join(tmpdir(), "berth-fixture-packages");
/** An index is asked for anew after that long; packages never change. */
const indexAgeMs = 12 * 3600_000;
const headerMax = 16 * 1024;

export interface Packages {
  /** what `http_proxy` is to be inside the namespace */
  url: string;
  stop(): Promise<void>;
}

/** `inNetwork` makes a command run in the namespace that is to be served; `address` is one that its containers reach. */
export async function servePackages(
  inNetwork: (command: string[]) => string[],
  address: string,
): Promise<Packages> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), "berth-packages-"));
  const socket = join(folder, "socket");
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("close", () => sockets.delete(client));
    serve(client).catch((error: Error) => client.destroy(error));
    client.on("error", () => client.destroy()); // a client that goes away is no fault of ours
  });
  await new Promise<void>((listening) => server.listen(socket, listening));
  const relay = Bun.spawn(
    inNetwork([process.execPath, resolve("tests/harness/packages-relay.ts"), address, socket]),
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const reader = relay.stdout.getReader();
  const port = new TextDecoder().decode((await reader.read()).value).trim();
  reader.releaseLock();
  if (port === "") throw new Error("the relay of the package proxy did not start");
  return {
    url: `http://${address}:${port}`,
    async stop() {
      relay.kill("SIGKILL");
      await relay.exited;
      for (const open of sockets) open.destroy();
      await new Promise((closed) => server.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One connection: requests one after the other, also where the client sends several ahead. */
async function serve(client: Socket): Promise<void> {
  let text = "";
  for await (const piece of client.iterator({ destroyOnReturn: false })) {
    text += (piece as Buffer).toString("latin1");
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const line = text.slice(0, text.indexOf("\r\n"));
      text = text.slice(end + 4);
      await answer(client, line);
    }
    if (text.length > headerMax) throw new Error("the request is too long");
  }
}

async function answer(client: Socket, line: string): Promise<void> {
  const [method, target = ""] = line.split(" ");
  const url = URL.canParse(target) ? new URL(target) : undefined;
  const file = method === "GET" && url?.protocol === "http:" ? await kept(url) : undefined;
  if (file === undefined) {
    client.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const content = Bun.file(file);
  client.write(`HTTP/1.1 200 OK\r\nContent-Length: ${content.size}\r\n\r\n`);
  for await (const piece of content.stream())
    if (!client.write(piece)) await new Promise<void>((drained) => client.once("drain", drained));
}

const fetching = new Map<string, Promise<string | undefined>>();

/** The file that holds what a URL gives; undefined where there is nothing. */
function kept(url: URL): Promise<string | undefined> {
  const running = fetching.get(url.href);
  if (running !== undefined) return running;
  const now = fetchOnce(url).finally(() => fetching.delete(url.href));
  fetching.set(url.href, now);
  return now;
}

async function fetchOnce(url: URL): Promise<string | undefined> {
  const file = join(cache, encodeURIComponent(url.href));
  if (existsSync(file)) {
    const fresh = url.pathname.includes("/pool/") || url.pathname.includes("/by-hash/");
    if (fresh || Date.now() - (await stat(file)).mtimeMs < indexAgeMs) return file;
  }
  const response = await fetch(url);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${url.href}: ${response.status}`);
  const temporary = `${file}.${process.pid}.new`;
  await Bun.write(temporary, response);
  await rename(temporary, file);
  return file;
}
