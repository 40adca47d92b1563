/** make parity: plays the recorded cases with all clients and tells what passes. */
import { writeFile } from "node:fs/promises";
import { startEngine } from "../tests/harness/engine.ts";
import { type Client, ensurePlugins, listFile, play, recordClassic } from "./lib/parity.ts";

const usage = `Plays recorded cases with docker's client and ours, and tells what passes.

    bun scripts/parity.ts [--client docker|berth|classic] [--update] [--show] [FILTER …]
    DOCKER_HOST=… bun scripts/parity.ts --client classic --record [FILTER …]

  FILTER    the beginning of a case's name: an area (containers/), a folder of it, or one case
  --client  one of the clients alone; classic is docker's with DOCKER_BUILDKIT=0
  --show    what differs
  --update  write the passing cases to tests/parity/<client>.txt (only with no filter or whole areas)
  --record  record what Docker's classic builder says, from the Docker that DOCKER_HOST names
`;

const args = process.argv.slice(2);
if (args.includes("--help") || args.includes("-h")) {
  process.stdout.write(usage);
  process.exit(0);
}
const take = (name: string): boolean => {
  const at = args.indexOf(name);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
};
const [update, show, record] = [take("--update"), take("--show"), take("--record")];
const at = args.indexOf("--client");
const clients: Client[] = at >= 0 ? [args.splice(at, 2)[1] as Client] : ["docker", "berth", "classic"];
const known: readonly string[] = ["docker", "berth", "classic"] satisfies Client[];
if (args.some((arg) => arg.startsWith("-")) || !clients.every((client) => known.includes(client))) {
  process.stderr.write(usage);
  process.exit(2);
}
const filters = args.length
  ? args
  : [
      "smoke/",
      "containers/",
      "images/",
      "volumes/",
      "networks/",
      "system/",
      "api/",
      "registry/",
      "build/",
      "compose/",
    ];

if (record) {
  await recordClassic(args);
  process.exit(0);
}
await ensurePlugins();

for (const client of clients) {
  const engine = await startEngine({ images: ["busybox"] });
  await Bun.sleep(1100); // some cases look at whole seconds: the import before them must not be in theirs
  const wanted = client === "classic" ? filters.filter((filter) => filter.startsWith("build")) : filters;
  const results = await play(engine, client, wanted, show).finally(() => engine.destroy());
  const passed = [...results].filter(([, pass]) => pass).map(([name]) => name);
  const areas = new Map<string, [number, number]>();
  for (const [name, pass] of results) {
    const area = name.split("/")[0] ?? "";
    const [good, all] = areas.get(area) ?? [0, 0];
    areas.set(area, [good + (pass ? 1 : 0), all + 1]);
  }
  console.log(`${client}: ${[...areas].map(([area, [good, all]]) => `${area} ${good}/${all}`).join(", ")}`);
  if (update) await writeFile(listFile(client), `${passed.sort().join("\n")}\n`);
}
