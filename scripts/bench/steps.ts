import { berth, type TestEngine } from "../../tests/harness/engine.ts";
import { ProcessorTime } from "./processor-time.ts";

/** The steps that benchmarks take on an engine, and what each took. */
const at = (part: number, values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;

export const middle = (values: number[]): number => at(0.5, values);

/** What a step took: milliseconds that passed, and of the processor's. */
export interface Cost {
  passed: number;
  used: number;
}

export const median = (costs: Cost[]): Cost => ({
  passed: middle(costs.map(({ passed }) => passed)),
  used: middle(costs.map(({ used }) => used)),
});
/** Where the fastest quarter ends: what other work of the machine hardly shows in. */
export const quarter = (costs: Cost[]): Cost => ({
  passed: at(
    0.25,
    costs.map(({ passed }) => passed),
  ),
  used: at(
    0.25,
    costs.map(({ used }) => used),
  ),
});
export const told = ({ passed, used }: Cost): string =>
  `${passed.toFixed(1)} ms (processor ${used.toFixed(1)})`;

export const processor = new ProcessorTime(`berth-bench-${process.pid}`);

export async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const [start, used] = [performance.now(), processor.ms];
  await work();
  return { passed: performance.now() - start, used: processor.ms - used };
}

export async function post(engine: TestEngine, path: string, body: unknown = {}): Promise<{ Id?: string }> {
  const answer = await engine.api(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok && answer.status !== 304) throw new Error(`${path}: ${text}`);
  return text === "" ? {} : (JSON.parse(text) as { Id?: string });
}

export async function create(
  engine: TestEngine,
  network: string,
  ports: Record<string, unknown> = {},
): Promise<string> {
  const { Id = "" } = await post(engine, "/containers/create", {
    Image: "busybox",
    Cmd: ["sleep", "100000"],
    HostConfig: { NetworkMode: network, PortBindings: ports },
  });
  return Id;
}

/** Cost of a start alone; the container stays. */
export async function start(
  engine: TestEngine,
  network: string,
  ports: Record<string, unknown> = {},
): Promise<Cost> {
  const id = await create(engine, network, ports);
  return timed(() => post(engine, `/containers/${id}/start`));
}

export const bindings = (first: number, count: number): Record<string, unknown> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${index + 1}/tcp`, [{ HostPort: String(first + index) }]]),
  );

/** All containers, but the one of that name. */
export async function removeAll(engine: TestEngine, kept = ""): Promise<void> {
  const all = (await engine.ok("ps", "-a", "--format", "{{.ID}} {{.Names}}")).split("\n").filter(Boolean);
  const ids = all.flatMap((line) => (line.endsWith(` ${kept}`) ? [] : [line.split(" ")[0] ?? ""]));
  for (let at = 0; at < ids.length; at += 100)
    await engine.run([berth, "rm", "-f", ...ids.slice(at, at + 100)], { timeoutMs: 600_000 });
}
