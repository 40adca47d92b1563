import { EngineError } from "../../lib/errors.ts";
import { createDummy, createVlan, setAlias, setUp } from "../../system/netlink/requests.ts";
import type { Netlink } from "../../system/netlink/socket.ts";
import type { ParentPlan } from "../worker-protocol.ts";
import { bridgeMark } from "./bridge.ts";
import { dropLink, findLink, linkIndex } from "./links.ts";

/** The interface that macvlan and ipvlan networks sit on: the user's own, or one made for the network. */
export function ensureParent(netlink: Netlink, { name, make }: ParentPlan): void {
  if (findLink(netlink, name)) return;
  if (!make)
    throw new EngineError(
      "internal",
      `invalid subinterface vlan name ${name}, example formatting is eth0.10`,
    );
  const made =
    make.kind === "vlan" ? createVlan(name, linkIndex(netlink, make.of), make.id) : createDummy(name);
  netlink.apply([made, setAlias(name, bridgeMark), setUp(name)]);
}

/** Only what an engine made goes. */
export function removeParent(netlink: Netlink, name: string): void {
  if (findLink(netlink, name)?.alias === bridgeMark) dropLink(netlink, name);
}
