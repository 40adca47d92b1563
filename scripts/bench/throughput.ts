/**
 * Throughput of the network beside Docker's, in one run: a plain TCP stream (iperf3) and HTTP requests (wrk and nginx),
 * through a published port and from container to container, the two engines taking turns.
 *
 *     bun scripts/bench/throughput.ts --peer unix:///path/docker.sock --peer-pid PID [--rounds 5] [--seconds 3]
 *         [--by "chrt -r 1"]
 *
 * Needs root, iperf3, wrk and nginx (`scripts/setup.sh bench` brings them), and dist/berth; PID is a process in the network namespace of the Docker to compare with.
 * Servers and clients are the machine's own programs in the containers' namespaces, the same for both engines; `--by` calls
 * them as real-time processes, say, where the machine has other work.
 * Ratios are medians of the rounds' own ratios: what slows the machine down slows both engines of a round.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { berth, startEngine } from "../../tests/harness/engine.ts";

const args = process.argv.slice(2);
const option = (name: string, standard: string): string => {
  const at = args.indexOf(`--${name}`);
  return (at >= 0 && args[at + 1]) || standard;
};
const rounds = Number(option("rounds", "5"));
const seconds = option("seconds", "3");
const folder = mkdtempSync(join(tmpdir(), "berth-bench-throughput-"));
const name = `bench-${process.pid}`;
const [streamPort, httpPort] = ["5299", "5298"];

/** An engine, by its client and a process in its host's network namespace. */
interface Place {
  docker: string[];
  pid: string;
}

async function shell(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  const [text, said] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${said}${text}`);
  return text.trim();
}

const within = (pid: string, ...command: string[]): string[] => [
  ...option("by", "").split(" ").filter(Boolean),
  "nsenter",
  `--net=/proc/${pid}/ns/net`,
  ...command,
];

/** Gbit/s to an address. */
async function stream(pid: string, address: string, port: string): Promise<number> {
  const text = await shell(within(pid, "iperf3", "-c", address, "-p", port, "-t", seconds, "-J"));
  const { end } = JSON.parse(text) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e9;
}

/** Thousands of requests a second. */
async function requests(pid: string, address: string, port: string): Promise<number> {
  const url = `http://${address}:${port}/`;
  const text = await shell(within(pid, "wrk", "-t", "1", "-c", "32", "-d", `${seconds}s`, url));
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]) / 1000;
}

function nginxConfiguration(): string {
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit;
     events { worker_connections 1024; }
     http { access_log off; server { listen 80; location / { return 200 "hello\\n"; } } }`,
  );
  return file;
}

const figures = {
  "stream, published port": (a: Ends) => stream(a.host, a.gateway, streamPort),
  "stream, container to container": (a: Ends) => stream(a.neighbour, a.address, "5201"),
  "requests, published port": (a: Ends) => requests(a.host, a.gateway, httpPort),
  "requests, container to container": (a: Ends) => requests(a.neighbour, a.address, "80"),
};

interface Ends {
  /** processes in the network namespaces of the host and of the neighbour */
  host: string;
  neighbour: string;
  address: string;
  gateway: string;
}

async function measure({ docker, pid }: Place): Promise<number[]> {
  const inspect = (field: string, of: string) => shell([...docker, "inspect", "-f", field, of]);
  const ports = ["-p", `${streamPort}:5201`, "-p", `${httpPort}:80`];
  const servers: Bun.Subprocess[] = [];
  try {
    await shell([...docker, "run", "-d", "--name", `${name}-a`, ...ports, "busybox", "sleep", "600"]);
    await shell([...docker, "run", "-d", "--name", `${name}-b`, "busybox", "sleep", "600"]);
    const a = await inspect("{{.State.Pid}}", `${name}-a`);
    const network = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}";
    const [address = "", gateway = ""] = (await inspect(network, `${name}-a`)).split(" ");
    const neighbour = await inspect("{{.State.Pid}}", `${name}-b`);
    for (const command of [
      ["iperf3", "-s"],
      ["nginx", "-c", nginxConfiguration()],
    ])
      servers.push(Bun.spawn(within(a, ...command), { stdout: "ignore", stderr: "inherit" }));
    await Bun.sleep(500);
    const results: number[] = [];
    for (const figure of Object.values(figures))
      results.push(await figure({ host: pid, neighbour, address, gateway }));
    return results;
  } finally {
    for (const server of servers) server.kill();
    await shell([...docker, "rm", "-f", `${name}-a`, `${name}-b`]);
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const engine = await startEngine({ images: ["busybox"] });
try {
  const ours: Place = { docker: [berth, "-H", engine.host], pid: String(engine.holder.pid) };
  const theirs: Place = { docker: ["docker", "-H", option("peer", "")], pid: option("peer-pid", "") };
  const seen: { ours: number[]; theirs: number[] }[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = await measure(round % 2 ? theirs : ours);
    const second = await measure(round % 2 ? ours : theirs);
    seen.push(round % 2 ? { ours: second, theirs: first } : { ours: first, theirs: second });
  }
  for (const [index, what] of Object.keys(figures).entries()) {
    const column = (who: "ours" | "theirs") => seen.map((round) => round[who][index] ?? 0);
    const [us, them] = [column("ours"), column("theirs")];
    const ratio = median(us.map((value, round) => value / (them[round] ?? 0)));
    const unit = what.startsWith("stream") ? "Gbit/s" : "thousand/s";
    console.log(
      `${what}: ${median(us).toFixed(1)} ${unit}, Docker ${median(them).toFixed(1)}, ratio ${ratio.toFixed(2)}`,
    );
  }
} finally {
  await engine.destroy();
  rmSync(folder, { recursive: true, force: true });
}
