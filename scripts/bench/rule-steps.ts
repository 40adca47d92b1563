import type { TestEngine } from "../../tests/harness/engine.ts";

/**
 * How many packet rules the first packet of a connection from the host meets on its way to a published port, by the
 * kernel's own tracing (nft(8), `nftrace`): a number that no load of the machine changes.
 */
export async function ruleSteps(engine: TestEngine, address: string, port: number): Promise<number> {
  const table = "berth-bench-trace";
  const rule = `tcp dport ${port} tcp flags & (syn | ack) == syn meta nftrace set 1`;
  await engine.run(["nft", `add table inet ${table}`]);
  await engine.run([
    "nft",
    `add chain inet ${table} output { type filter hook output priority -400 ; }; add rule inet ${table} output ${rule}`,
  ]);
  const monitor = Bun.spawn(engine.inNetwork(["stdbuf", "-oL", "nft", "monitor", "trace"]), {
    stdout: "pipe",
  });
  try {
    await Bun.sleep(500);
    await engine.run(["busybox", "nc", "-w", "1", address, String(port)], { timeoutMs: 5000 });
    await Bun.sleep(500);
  } finally {
    monitor.kill();
    await engine.run(["nft", `delete table inet ${table}`]);
  }
  const lines = (await new Response(monitor.stdout).text()).split("\n");
  const first = /trace id (\S+)/.exec(lines.find((line) => line.includes("trace id")) ?? "")?.[1];
  return lines.filter((line) => line.includes(`trace id ${first} `) && / (rule|policy) /.test(line)).length;
}
