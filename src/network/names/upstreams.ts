import { readFileSync } from "node:fs";
import type { Upstream } from "./protocol.ts";
import { parseResolvConf } from "./resolv-conf.ts";

const hostFile = "/etc/resolv.conf";
/** how long the host's servers are taken as read */
const rereadMs = 1000;
const serversMax = 8;
/** questions in a row without any answer after which a server is taken as gone */
const silentAfter = 3;
/** how often one that is gone is asked, to see whether it is back */
const probeMs = 1000;

/** The host's name servers as they are now: it may move to another network while containers run. */
export class HostServers {
  private readonly read: () => string;
  private servers: Upstream[] = [];
  private readAtMs = Number.NEGATIVE_INFINITY;

  constructor(read: () => string = readHostFile) {
    this.read = read;
  }

  list(nowMs: number): readonly Upstream[] {
    if (nowMs - this.readAtMs < rereadMs) return this.servers;
    this.readAtMs = nowMs;
    const { nameservers } = parseResolvConf(this.read());
    this.servers = nameservers.slice(0, serversMax).map((address) => ({ address, from: "host" }));
    return this.servers;
  }
}

function readHostFile(): string {
  try {
    return readFileSync(hostFile, "utf8");
  } catch {
    // absent or unreadable: the host has no servers now, and may have later
    return "";
  }
}

interface Health {
  silences: number;
  probeAtMs: number;
}

/**
 * Which of a container's servers answer. Those that do not are passed over, so that questions fail at once instead of
 * after a time-out; now and then one question tries them. Kept for each container by itself: what one asks must not
 * decide what others are answered.
 */
export class ServerHealth {
  private readonly servers = new Map<string, Health>();

  /** Whom to ask now, in order; none when all are gone and none is due for another try. */
  choose(upstreams: readonly Upstream[], nowMs: number): Upstream[] {
    return upstreams.filter(({ address }) => {
      const health = this.servers.get(address);
      if (!health || health.silences < silentAfter) return true;
      if (nowMs < health.probeAtMs) return false;
      health.probeAtMs = nowMs + probeMs;
      return true;
    });
  }

  answered(address: string): void {
    this.servers.delete(address);
  }

  silent(address: string, nowMs: number): void {
    const health = this.servers.get(address) ?? { silences: 0, probeAtMs: 0 };
    health.silences++;
    health.probeAtMs = nowMs + probeMs;
    if (this.servers.size < serversMax * 2) this.servers.set(address, health);
  }
}
