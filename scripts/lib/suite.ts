/** The steps that `make check` and `make test` are made of; each tells how many of its tests passed and failed. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { forgive, remember } from "./leaks.ts";

export interface Tally {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  /** tests that failed when they were run first, and passed when their file was run again by itself */
  unsteady?: number;
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

/** `bun test` over some files in a process of its own, bounded in time; a run that dies counts as one failure. */
export async function bunTest(name: string, files: string[], limitMs: number): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), "berth-test-"));
  const outfile = join(folder, "junit.xml");
  try {
    const child = Bun.spawn(
      [bun, "test", "--timeout=60000", "--reporter=junit", `--reporter-outfile=${outfile}`, ...files],
      { stdout: "inherit", stderr: "inherit", stdin: "ignore", timeout: limitMs, killSignal: "SIGKILL" },
    );
    const code = await child.exited;
    const tally = await readTally(name, outfile);
    if (code !== 0 && tally.failed === 0) tally.failed = 1;
    return tally;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A file of integration tests. They wait for a kernel and real processes on whatever machine this is: a file with a
 * failure is run once more, and what passes then is told as unsteady, to be looked into, instead of failing the run.
 */
export async function integrationTest(file: string, limitMs: number): Promise<Tally> {
  const before = await remember();
  const first = await bunTest(file, [file], limitMs);
  if (first.failed === 0) return first;
  console.log(`again: ${file}, of which ${first.failed} failed`);
  await forgive(before);
  const second = await bunTest(file, [file], limitMs);
  return second.failed === 0 ? { ...second, unsteady: first.failed } : second;
}

async function readTally(name: string, outfile: string): Promise<Tally> {
  const text = await readFile(outfile, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return ""; // the run died before it could report: counted by its exit code
    throw error;
  });
  const head = /<testsuites[^>]*>/.exec(text)?.[0] ?? "";
  const figure = (key: string): number => Number(new RegExp(`\\b${key}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const [tests, failed, skipped] = [figure("tests"), figure("failures"), figure("skipped")];
  return { name, passed: tests - failed - skipped, failed, skipped };
}

export async function testFiles(pattern: string): Promise<string[]> {
  return (await Array.fromAsync(new Glob(pattern).scan("."))).sort().map((file) => `./${file}`);
}

export async function runChecks(): Promise<Tally[]> {
  return [
    await step("types", ["node_modules/.bin/tsc", "-p", "."]),
    await step("lint and format", ["node_modules/.bin/biome", "check", "--error-on-warnings"]),
    await bunTest(
      "unit tests",
      (
        await Promise.all(
          ["src", "scripts", "tests/structure"].map((folder) => testFiles(`${folder}/**/*.test.ts`)),
        )
      ).flat(),
      300_000,
    ),
  ];
}

/** Prints the table and the closing line; returns the exit code. */
export function report(tallies: Tally[]): number {
  const sum = (key: "passed" | "failed" | "skipped"): number =>
    tallies.reduce((all, one) => all + one[key], 0);
  console.log("");
  for (const { name, passed, failed, skipped, unsteady } of tallies)
    console.log(
      `${failed ? "FAIL" : "ok  "} ${name}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}${unsteady ? `, ${unsteady} UNSTEADY: passed only when run again` : ""}`,
    );
  const skipped = sum("skipped");
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped ? `, ${skipped} skipped` : ""}`);
  return sum("failed") || sum("passed") === 0 ? 1 : 0;
}
