import { EngineError } from "../../lib/errors.ts";
import { createDummy, createVlan, setAlias, setUp } from "../../system/netlink/requests.ts";
import type { Netlink } from "../../system/netlink/socket.ts";
import type { ParentPlan } from "../worker/protocol.ts";
import { bridgeMark } from "./bridge.ts";
import { dropLink, findLink, linkIndex, makeLink } from "./links.ts";

/** The interface that macvlan and ipvlan networks sit on: the user's own, or one made for the network. */
export function ensureParent(netlink: Netlink, { name, make }: ParentPlan): void {
  if (findLink(netlink, name)) return;
  const fault = make?.kind === "dummy" ? undefined : parentFault(netlink, name);
  if (!make || fault !== undefined) throw new EngineError("internal", fault ?? notVlan(name));
  const made =
    make.kind === "vlan" ? createVlan(name, linkIndex(netlink, make.of), make.id) : createDummy(name);
  makeLink(netlink, [made, setAlias(name, bridgeMark), setUp(name)]);
}

const notVlan = (name: string): string =>
  `invalid subinterface vlan name ${name}, example formatting is eth0.10`;

/** Why no VLAN can be made of that name. */
function parentFault(netlink: Netlink, name: string): string | undefined {
  const dot = name.lastIndexOf(".");
  if (dot < 0) return notVlan(name);
  const [of, id] = [name.slice(0, dot), name.slice(dot + 1)];
  if (!/^[+-]?\d+$/.test(id)) return `unable to parse a valid vlan id from: ${id} (ex. eth0.10 for vlan 10)`;
  if (!findLink(netlink, of)) return `-o parent interface was not found on the host: ${of}`;
  return Number(id) >= 1 && Number(id) <= 4094
    ? undefined
    : `vlan id must be between 1-4094, received: ${Number(id)}`;
}

/** Only what an engine made goes. */
export function removeParent(netlink: Netlink, name: string): void {
  if (findLink(netlink, name)?.alias === bridgeMark) dropLink(netlink, name);
}
