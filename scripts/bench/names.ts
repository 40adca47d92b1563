/**
 * How fast names are answered: questions of one container in closed loops, alone and beside one that floods.
 *
 *     bun scripts/bench/names.ts [SECONDS]
 *
 * Needs root; makes two network namespaces of its own and no engine. The client shares the machine with the resolver.
 */
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type } from "../../src/lib/dns/query.ts";
import { question } from "../../src/lib/dns/testing.ts";
import { startNamesThread } from "../../src/network/names/thread.ts";
import { connectUdp, receive, send } from "../../src/system/inet/socket.ts";
import { setUp } from "../../src/system/netlink/requests.ts";
import { NetlinkSocket } from "../../src/system/netlink/socket.ts";
import { NamespaceThread, removeNamespace } from "../../src/system/netns.ts";
import { Poller, readable } from "../../src/system/poller.ts";

const seconds = Number(process.argv[2] ?? 3);
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
  took.sort((a, b) => a - b);
  const at = (part: number): string => (took[Math.floor(took.length * part)] ?? 0).toFixed(3);
  const rate = Math.round((took.length / tookMs) * 1000);
  return `${rate} answers/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms`;
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
} finally {
  await server.end();
  for (const path of [asking, flooding]) removeNamespace(path);
  thread.close();
  rmSync(folder, { recursive: true, force: true });
}
