/** A stand-in for an engine that the runtime test kills with -9: makes and starts one container, then waits. */
import { readFileSync } from "node:fs";
import { silentLogger } from "../../src/lib/log.ts";
import { openRuntime } from "../../src/runtime/open.ts";

const [execRoot = "", engineId = "", file = ""] = process.argv.slice(2);
const runtime = await openRuntime({ execRoot, dataRoot: execRoot, engineId, logger: silentLogger });
const container = JSON.parse(readFileSync(file, "utf8"));
await runtime.create(container);
await runtime.start(container.id);
process.stdout.write("started\n");
setInterval(() => undefined, 1000);
