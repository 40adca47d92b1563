import type { SandboxState } from "../contract.ts";
import type { EndpointRecord } from "../endpoints/store.ts";
import type { PortRules } from "../host/rules.ts";
import type { BoundPort } from "../ports/bound.ts";
import { portMap } from "../ports/published.ts";

/** A sandbox that exists: its rows, and what the engine's process holds for it. */
export interface Live {
  containerId: string;
  sandboxId: string;
  netnsPath: string;
  records: EndpointRecord[];
  bound: BoundPort[];
  /** the packet rules for its ports: changed in one step with the ports in the records */
  rules: PortRules;
  /** settles when the wiring has ended, well or not */
  settled: Promise<unknown>;
  /** the removal that is under way */
  removal?: Promise<void>;
}

/** A sandbox in no network at all keeps one row, for the next engine to find its namespace by. */
export const isAnchor = ({ spec }: EndpointRecord): boolean => spec.anchor === true;

export const linksOf = ({ records }: Live): string[] =>
  records.flatMap(({ spec }) => (spec.link === "" ? [] : [spec.link]));

export function stateOf(live: Live): SandboxState {
  const records = live.records.filter((record) => !isAnchor(record));
  return {
    sandboxId: live.sandboxId,
    netnsPath: live.netnsPath,
    endpoints: Object.fromEntries(records.map(({ spec }) => [spec.networkName, { ...spec.settings }])),
    ports: portMap(records.flatMap(({ spec }) => spec.ports)),
  };
}
