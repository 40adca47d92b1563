/**
 * How fast names are answered: questions of one container in closed loops, alone and beside one that floods, and at a
 * steady pace by dnsperf(1).
 *
 *     bun scripts/bench/names.ts [SECONDS [QUESTIONS_PER_SECOND]]
 *
 * Needs root, and dnsperf for the steady pace (`scripts/setup.sh bench` brings it); makes two network namespaces of its own and no engine.
 * The client shares the machine with the resolver.
 */
import { closeSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type } from "../../src/lib/dns/query.ts";
import { question } from "../../src/lib/dns/testing.ts";
import { startNamesThread } from "../../src/network/names/thread.ts";
import { Poller, readable } from "../../src/system/inet/poller.ts";
import { connectUdp, receive, send } from "../../src/system/inet/socket.ts";
import { NamespaceThread, removeNamespace } from "../../src/system/namespaces/netns.ts";
import { setUp } from "../../src/system/netlink/requests.ts";
import { NetlinkSocket } from "../../src/system/netlink/socket.ts";

const seconds = Number(process.argv[2] ?? 3);
const pace = Number(process.argv[3] ?? 20_000);
const names = 500;
const thread = new NamespaceThread();
const folder = mkdtempSync(join(tmpdir(), "berth-bench-names-"));
const [asking, flooding] = [join(folder, "asking"), join(folder, "flooding")];

function makeNamespace(path: string): void {
  thread.create(path, () => {
    const netlink = new NetlinkSocket();
    netlink.apply([setUp("lo")]);
    netlink.close();
  });
}

/** Keeps `width` questions under way and times each; with `flood`, sends as many into another namespace between. */
function measure(width: number, flood: number | undefined): string {
  const fd = thread.enter(asking, () => connectUdp({ address: "127.0.0.11", port: 53 }));
  const poller = new Poller();
  const sentMs = new Float64Array(65_536);
  const took: number[] = [];
  const buffer = Buffer.alloc(512);
  let id = 0;
  const ask = (): void => {
    id = (id + 1) & 0xffff;
    sentMs[id] = performance.now();
    send(fd, question(`c${id % names}`, type.A, { id }));
  };
  poller.add(fd, readable, () => {
    while (receive(fd, buffer) > 0) {
      took.push(performance.now() - (sentMs[buffer.readUInt16BE(0)] ?? 0));
      ask();
    }
  });
  const startedMs = performance.now();
  for (let index = 0; index < width; index++) ask();
  const rubbish = question("c1", type.A);
  while (performance.now() - startedMs < seconds * 1000) {
    if (flood !== undefined) for (let index = 0; index < 64; index++) send(flood, rubbish);
    poller.wait(flood === undefined ? 100 : 0);
  }
  const tookMs = performance.now() - startedMs;
  poller.end();
  return told(took, tookMs);
}

function told(took: number[], overMs: number): string {
  took.sort((a, b) => a - b);
  const at = (part: number): string => (took[Math.floor(took.length * part)] ?? 0).toFixed(3);
  const rate = Math.round((took.length / overMs) * 1000);
  return `${rate} answers/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms`;
}

/**
 * `rate` questions a second, whatever comes back, from eight sockets of dnsperf. What is late counts from when it was
 * sent, and what is lost is told.
 */
async function paced(rate: number): Promise<string> {
  const questions = join(folder, "questions");
  const said = join(folder, "answers");
  writeFileSync(questions, Array.from({ length: names }, (_, index) => `c${index} A\n`).join(""));
  const options = ["-v", "-c", "8", "-q", "5000", "-t", "2", "-Q", String(rate), "-l", String(seconds)];
  const client = Bun.spawn(
    ["nsenter", `--net=${asking}`, "dnsperf", "-s", "127.0.0.11", "-d", questions, ...options],
    { stdout: Bun.file(said), stderr: "inherit" },
  );
  if ((await client.exited) !== 0) return "dnsperf failed";
  const text = await Bun.file(said).text();
  const took = [...text.matchAll(/^> NOERROR \S+ \S+ ([\d.]+)/gm)].map((match) => Number(match[1]) * 1000);
  const number = (label: string): string => new RegExp(`${label}:\\s+([\\d.]+)`).exec(text)?.[1] ?? "?";
  const lost = `${number("Queries sent")} sent, ${number("Queries lost")} lost`;
  return `${told(took, Number(number("Run time \\(s\\)")) * 1000)}, ${lost}`;
}

for (const path of [asking, flooding]) makeNamespace(path);
const server = await startNamesThread((fault) => console.error(fault));
try {
  const endpoints = Array.from({ length: names }, (_, index) => ({
    endpointId: `e${index}`,
    networkId: "n",
    networkName: "net",
    names: [`c${index}`],
    ipv4: `10.0.${index >> 8}.${index & 255}`,
    ipv6: "",
  }));
  await server.call("announce", { endpoints });
  const asker = {
    networks: [{ id: "n", name: "net", links: {} }],
    forwards: false,
    ndotsSet: false,
    host: { ipv4: "", ipv6: "" },
  };
  for (const netnsPath of [asking, flooding])
    await server.call("serve", { sandboxId: netnsPath, netnsPath, asker, dns: [] });
  for (const width of [1, 8, 32]) console.log(`${width} under way: ${measure(width, undefined)}`);
  const flood = thread.enter(flooding, () => connectUdp({ address: "127.0.0.11", port: 53 }));
  console.log(`1 under way beside a flood: ${measure(1, flood)}`);
  closeSync(flood);
  if (Bun.which("dnsperf")) console.log(`${pace}/s asked by dnsperf: ${await paced(pace)}`);
  else console.log("no dnsperf (scripts/setup.sh bench brings it): nothing was asked at a steady pace");
} finally {
  await server.end();
  for (const path of [asking, flooding]) removeNamespace(path);
  thread.close();
  rmSync(folder, { recursive: true, force: true });
}
