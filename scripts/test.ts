/**
 * Every test: checks, integration (a process for each file, so that one that hangs takes nothing with it), parity.
 * What a test left behind (process, mount, namespace, link, rule) is itself a failure.
 */
import { constants } from "node:os";
import { clearAbandonedHomes } from "../tests/harness/homes.ts";
import { leaks, remember } from "./lib/leaks.ts";
import { ensurePlugins, parity } from "./lib/parity.ts";
import { endCurrent, integrationTest, report, runChecks, type Tally, testFiles } from "./lib/suite.ts";

// of a run that was killed so that it could not clear up itself
await clearAbandonedHomes();
const before = await remember();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, async () => {
    await endCurrent();
    await clearAbandonedHomes({ own: true });
    process.exit(128 + constants.signals[signal]);
  });
const tallies: Tally[] = await runChecks();

await ensurePlugins();
for (const file of await testFiles("tests/integration/*.test.ts"))
  tallies.push(await integrationTest(file, 900_000));
for (const client of ["docker", "berth", "classic"] as const) tallies.push(await parity(client));

const left = await leaks(before);
for (const line of left) console.log(`left behind: ${line}`);
tallies.push({
  name: "nothing left behind",
  passed: left.length ? 0 : 1,
  failed: left.length ? 1 : 0,
  skipped: 0,
  failures: left.length ? [{ run: "", failures: left.map((test) => ({ test, message: "" })) }] : [],
});
process.exitCode = report(tallies);
