import { EngineError } from "../../lib/errors.ts";
import type { Family } from "../addresses/ip.ts";
import type { LinkPlan, ParentPlan } from "../worker/protocol.ts";
import type { NetworkDefinition, NetworkSpec } from "./definitions.ts";
import { bridgeOption, readBridge } from "./driver-options.ts";

/** Modes and flags with the kernel's numbers (linux/if_link.h). */
const macvlanModes: Record<string, number> = { private: 1, vepa: 2, bridge: 4, passthru: 8 };
const ipvlanModes: Record<string, number> = { l2: 0, l3: 1, l3s: 2 };
const ipvlanFlags: Record<string, number> = { bridge: 0, private: 1, vepa: 2 };

/** Docker answers these with status 500. */
const refused = (sentence: string): EngineError => new EngineError("internal", sentence);

function chosen(
  table: Record<string, number>,
  value: string | undefined,
  standard: string,
  complaint: (value: string) => string,
): number {
  const number = Object.hasOwn(table, value || standard) ? table[value || standard] : undefined;
  if (number === undefined) throw refused(complaint(value ?? ""));
  return number;
}

const macvlanMode = ({ options }: NetworkSpec): number =>
  chosen(
    macvlanModes,
    options["macvlan_mode"],
    "bridge",
    (mode) => `requested macvlan mode '${mode}' is not valid, 'bridge' mode is the macvlan driver default`,
  );

const ipvlanMode = ({ options }: NetworkSpec): number =>
  chosen(
    ipvlanModes,
    options["ipvlan_mode"],
    "l2",
    (mode) => `requested ipvlan mode '${mode}' is not valid, 'l2' mode is the ipvlan driver default`,
  );

const ipvlanFlag = ({ options }: NetworkSpec): number =>
  chosen(
    ipvlanFlags,
    options["ipvlan_flag"],
    "bridge",
    (flag) => `requested ipvlan flag '${flag}' is not valid, 'bridge' is the ipvlan driver default`,
  );

/** Throws Docker's sentence for options that the driver cannot follow. */
export function checkDriver(definition: NetworkDefinition): void {
  const { driver, spec } = definition;
  if (driver === "bridge") readBridge(definition);
  if (driver === "macvlan") macvlanMode(spec);
  if (driver === "ipvlan") {
    ipvlanMode(spec);
    ipvlanFlag(spec);
  }
  if ((driver === "macvlan" || driver === "ipvlan") && spec.options["parent"] === "lo")
    throw refused(`loopback interface is not a valid ${driver} parent link`);
}

const parentName = ({ id, spec }: NetworkDefinition, driver: string): string =>
  spec.options["parent"] || `${driver === "macvlan" ? "dm" : "di"}-${id.slice(0, 12)}`;

/**
 * What macvlan and ipvlan networks sit on: an interface of the host's; `eth0.10` is made where it is missing; without
 * one, an interface that leads nowhere.
 */
export function parentPlan(definition: NetworkDefinition): ParentPlan | undefined {
  const { driver, spec } = definition;
  if (driver !== "macvlan" && driver !== "ipvlan") return undefined;
  const name = parentName(definition, driver);
  if (!spec.options["parent"]) return { name, make: { kind: "dummy" } };
  const [, of, id] = /^(.+)\.(\d{1,4})$/.exec(name) ?? [];
  if (of !== undefined && Number(id) >= 1 && Number(id) <= 4094)
    return { name, make: { kind: "vlan", of, id: Number(id) } };
  return { name };
}

/** What an endpoint's interface is on the host; undefined where the network has none. */
export function linkPlan(definition: NetworkDefinition, endpointId: string): LinkPlan | undefined {
  const { driver, spec } = definition;
  switch (driver) {
    case "bridge": {
      const { bridge, icc } = readBridge(definition);
      // IFNAMSIZ: 15 bytes
      return { kind: "veth", link: `veth${endpointId.slice(0, 11)}`, bridge, isolated: !icc };
    }
    case "macvlan":
      return { kind: "macvlan", parent: parentName(definition, driver), mode: macvlanMode(spec) };
    case "ipvlan":
      return {
        kind: "ipvlan",
        parent: parentName(definition, driver),
        mode: ipvlanMode(spec),
        flag: ipvlanFlag(spec),
      };
    default:
      return undefined;
  }
}

/** Whether containers reach the world through a gateway of the network, straight out of the device, or not at all. */
export function wayOut(definition: NetworkDefinition): "gateway" | "device" | "none" {
  const { driver, spec } = definition;
  if (spec.internal) return "none";
  if (driver === "ipvlan" && ipvlanMode(spec) !== ipvlanModes["l2"]) return "device";
  if ((driver === "macvlan" || driver === "ipvlan") && !spec.options["parent"]) return "none";
  return "gateway";
}

/** Whether an address of the network's is kept for a gateway that the user did not name. */
export function takesGateway(definition: NetworkDefinition, family: Family): boolean {
  if (definition.driver !== "bridge") return wayOut(definition) === "gateway";
  const { mode4, mode6, inhibit4, internal } = readBridge(definition);
  return family === 4 ? mode4 !== "isolated" && !(inhibit4 && internal) : mode6 !== "isolated";
}

export const interfacePrefix = ({ spec }: NetworkDefinition): string =>
  spec.options[bridgeOption.interfacePrefix] || "eth";
