import { EngineError } from "../../lib/errors.ts";
import { parseNs } from "../../lib/time/time.ts";
import type { Filters } from "../../lib/wire/filters.ts";
import type { Networks } from "../../network/contract.ts";
import type { EventBus } from "../../state/events.ts";
import { conditionsOf } from "./conditions.ts";

const predefined: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

/** Removes the users' networks that no running container is in. */
export async function pruneNetworks(
  { networks, events }: { networks: Networks; events: EventBus },
  filters: Filters,
): Promise<{ NetworksDeleted: string[] | null }> {
  const conditions = conditionsOf(filters);
  const deleted: string[] = [];
  for (const { Id, Name, Labels, Created, ConfigOnly } of networks.list()) {
    const created = Number((parseNs(Created) ?? 0n) / 1_000_000_000n);
    if (predefined.has(Name) || ConfigOnly || !conditions.labels(Labels) || !conditions.age(created))
      continue;
    try {
      await networks.remove(Id);
      deleted.push(Name);
    } catch (error) {
      // it is in use, or another took it away
      if (!(error instanceof EngineError && (error.kind === "forbidden" || error.kind === "notFound")))
        throw error;
    }
  }
  events.publish({ type: "network", action: "prune", id: "", attributes: { reclaimed: "0" } });
  return { NetworksDeleted: deleted.length > 0 ? deleted : null };
}
