/**
 * An HTTP proxy for tests: plain requests by their whole URL, TLS through CONNECT. It runs as a process of its own in an
 * engine's network namespace and writes down what it was asked, a line a request.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request as open } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestEngine } from "./engine.ts";

export class TestProxy {
  readonly url: string;
  private readonly folder: string;
  private readonly process: Bun.Subprocess;
  private told = 0;

  constructor(folder: string, url: string, child: Bun.Subprocess) {
    this.folder = folder;
    this.url = url;
    this.process = child;
  }

  /** "GET http://host/path" or "CONNECT host:port", since the last time. */
  asked(): string[] {
    const lines = readFileSync(join(this.folder, "asked"), "utf8").split("\n").filter(Boolean);
    const fresh = lines.slice(this.told);
    this.told = lines.length;
    return fresh;
  }

  async destroy(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function startProxy(engine: TestEngine, port: number): Promise<TestProxy> {
  const folder = await mkdtemp(join(tmpdir(), "berth-proxy-"));
  await Bun.write(join(folder, "asked"), "");
  const child = Bun.spawn(engine.inNetwork([process.execPath, import.meta.path, String(port), folder]), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const proxy = new TestProxy(folder, `http://127.0.0.1:${port}`, child);
  const { value } = await child.stdout.getReader().read();
  if (value !== undefined) return proxy;
  await proxy.destroy();
  throw new Error("the proxy did not start");
}

function serve(port: number, folder: string): void {
  const note = (line: string): void => appendFileSync(join(folder, "asked"), `${line}\n`);
  const server = createServer((request, response) => {
    note(`${request.method} ${request.url}`);
    const { method = "GET", headers, url = "" } = request;
    const onward = open(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.writeHead(502).end());
    request.pipe(onward);
  });
  server.on("connect", (request, socket, head) => {
    note(`CONNECT ${request.url}`);
    const [host = "", hostPort = "443"] = (request.url ?? "").split(":");
    const onward = connect(Number(hostPort), host, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    for (const end of [onward, socket])
      end.on("error", () => {
        onward.destroy();
        socket.destroy();
      });
  });
  server.listen(port, "127.0.0.1", () => console.log("ready"));
}

if (import.meta.main) {
  const [port = "", folder = ""] = process.argv.slice(2);
  serve(Number(port), folder);
}
