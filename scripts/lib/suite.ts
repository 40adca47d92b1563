/** The steps that `make check` and `make test` are made of; each tells how many of its tests passed and failed. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { compact, type Failure, readReport } from "./junit.ts";
import { forgive, remember } from "./leaks.ts";

export interface Tally {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  /** tests that failed when they were run first, and passed when their file was run again by itself */
  unsteady?: number;
  /** how tests failed, of each run; told at the end, for of long runs only the end is shown */
  failures?: { run: string; failures: Failure[] }[];
}

const bun = process.execPath;

/** A command that passes or fails as a whole. */
export async function step(name: string, command: string[]): Promise<Tally> {
  const started = performance.now();
  const child = Bun.spawn(command, { stdout: "inherit", stderr: "inherit", stdin: "ignore" });
  const ok = (await child.exited) === 0;
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

let current: Bun.Subprocess | undefined;
let ending = false;

/** Ends the run that is under way at once; no other is started. */
export async function endCurrent(): Promise<void> {
  ending = true;
  current?.kill("SIGKILL");
  await current?.exited;
}

/** `bun test` over some files in a process of its own, bounded in time; a run that dies counts as one failure. */
export async function bunTest(name: string, files: string[], limitMs: number): Promise<Tally> {
  if (ending) return new Promise(() => undefined);
  const folder = await mkdtemp(join(tmpdir(), "berth-test-"));
  const outfile = join(folder, "junit.xml");
  try {
    const child = Bun.spawn(
      [bun, "test", "--timeout=60000", "--reporter=junit", `--reporter-outfile=${outfile}`, ...files],
      { stdout: "inherit", stderr: "pipe", stdin: "ignore", timeout: limitMs, killSignal: "SIGKILL" },
    );
    current = child;
    const output = passOn(child.stderr);
    const code = await child.exited;
    const said = await output.end();
    const told = await readFile(outfile, "utf8").catch(absent);
    const { failures, ...tally } = readReport(told);
    // one that ended before it could report has not passed, whatever its code
    if (tally.failed === 0 && (code !== 0 || told === "")) {
      tally.failed = 1;
      const end = child.signalCode ?? `code ${code}`;
      failures.push({ test: "the run as a whole", message: `ended by ${end}, after it said:\n${said}` });
    }
    return { name, ...tally, failures: failures.length > 0 ? [{ run: "", failures }] : [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Shows what a run says while it says it. `end` gives the end of it, also where a process that was left behind could say more. */
function passOn(stream: ReadableStream<Uint8Array>): { end(): Promise<string> } {
  let last = "";
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  const read = async (): Promise<void> => {
    for (let piece = await reader.read(); piece.value; piece = await reader.read()) {
      process.stderr.write(piece.value);
      last = (last + decoder.decode(piece.value, { stream: true })).slice(-2000);
    }
  };
  const all = read();
  const end = async (): Promise<string> => {
    await Promise.race([all, Bun.sleep(1000)]);
    await reader.cancel();
    return last;
  };
  return { end };
}

/** The run died before it could report. */
function absent(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "";
  throw error;
}

/** A file of integration tests, in a process of its own. */
export async function integrationTest(file: string, limitMs: number): Promise<Tally> {
  const before = await remember();
  return steadied(
    () => bunTest(file, [file], limitMs),
    () => forgive(before),
  );
}

/**
 * Tests wait for a kernel, for threads and for processes on whatever machine this is: where one fails, all are run once
 * more, and what passes then is told as unsteady, to be looked into, instead of failing the run.
 */
async function steadied(run: () => Promise<Tally>, between?: () => Promise<void>): Promise<Tally> {
  const first = await run();
  if (first.failed === 0) return first;
  console.log(`again: ${first.name}, of which ${first.failed} failed`);
  await between?.();
  const second = await run();
  const named = ({ failures = [] }: Tally, which: string): NonNullable<Tally["failures"]> =>
    failures.map((one) => ({ ...one, run: which }));
  const failures = [...named(first, "first run"), ...named(second, "second run")];
  return { ...second, failures, ...(second.failed === 0 ? { unsteady: first.failed } : {}) };
}

export async function testFiles(pattern: string): Promise<string[]> {
  return (await Array.fromAsync(new Glob(pattern).scan("."))).sort().map((file) => `./${file}`);
}

export async function runChecks(): Promise<Tally[]> {
  const folders = ["src", "scripts", "tests/structure"];
  const units = await Promise.all(folders.map((folder) => testFiles(`${folder}/**/*.test.ts`)));
  return [
    await step("types", ["node_modules/.bin/tsc", "-p", "."]),
    await step("lint and format", ["node_modules/.bin/biome", "check", "--error-on-warnings"]),
    await steadied(() => bunTest("unit tests", units.flat(), 300_000)),
  ];
}

/** Prints the table, then what failed and how, and the closing line; returns the exit code. */
export function report(tallies: Tally[]): number {
  const sum = (key: "passed" | "failed" | "skipped"): number =>
    tallies.reduce((all, one) => all + one[key], 0);
  console.log("");
  for (const { name, passed, failed, skipped, unsteady } of tallies)
    console.log(
      `${failed ? "FAIL" : "ok  "} ${name}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}${unsteady ? `, ${unsteady} UNSTEADY: passed only when run again` : ""}`,
    );
  for (const tally of tallies) tellFailures(tally);
  const skipped = sum("skipped");
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped ? `, ${skipped} skipped` : ""}`);
  return sum("failed") || sum("passed") === 0 ? 1 : 0;
}

/** told of one run; more have the same cause */
const mostTold = 5;

function tellFailures({ name, failures = [], unsteady }: Tally): void {
  for (const { run, failures: all } of failures) {
    const which = [unsteady ? "UNSTEADY" : "FAILED", name, run && `(${run})`].filter(Boolean).join(" ");
    console.log(`\n${which}`);
    for (const failure of all.slice(0, mostTold)) console.log(`  ${compact(failure).join("\n  ")}`);
    if (all.length > mostTold) console.log(`  and ${all.length - mostTold} more`);
  }
}
