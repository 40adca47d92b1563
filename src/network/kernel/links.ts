import { EngineError } from "../../lib/errors.ts";
import { errnoText } from "../../lib/text/errno-text.ts";
import { SystemError } from "../../system/libc.ts";
import type { NetlinkRequest } from "../../system/netlink/codec.ts";
import { decodeLink, type Link } from "../../system/netlink/replies.ts";
import { deleteLink, getLink } from "../../system/netlink/requests.ts";
import type { Netlink } from "../../system/netlink/socket.ts";

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === "ENODEV";

/** The link of that name, or `undefined`. */
export function findLink(netlink: Netlink, name: string): Link | undefined {
  try {
    return netlink
      .query(getLink(name))
      .map(decodeLink)
      .find((link) => link !== undefined);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A link that the user described: what the kernel says against it is told in its own words, as Docker does. */
export function makeLink(netlink: Netlink, requests: readonly NetlinkRequest[]): void {
  try {
    netlink.apply(requests);
  } catch (error) {
    const words = error instanceof SystemError ? errnoText(error.code) : undefined;
    throw words === undefined ? error : new EngineError("internal", words, { cause: error });
  }
}

export function linkIndex(netlink: Netlink, name: string): number {
  const link = findLink(netlink, name);
  if (!link) throw new SystemError(`find network interface ${name}`, "ENODEV");
  return link.index;
}

/** Deletes a link; one that is gone is a success. */
export function dropLink(netlink: Netlink, name: string): void {
  try {
    netlink.apply([deleteLink(name)]);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
