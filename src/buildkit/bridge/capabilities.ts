import type { Encodable } from "../../lib/protobuf/schema.ts";
import type { capability } from "../messages/worker.ts";

/** Names of what is served, as clients look them up before they ask (BuildKit's frontend/gateway/pb/caps.go). */
export const bridgeCapabilities = enabled([
  "solve.base",
  "return",
  "returnmap",
  "proto.refarray",
  "importcaches",
  "frontend.inputs",
  "frontend.caps",
  "gateway.evaluate",
  "gateway.solve.evaluate",
  "gateway.solve.metadata",
  "gateway.warnings",
  "reference.output",
  "readfile",
  "statfile",
]);

/** Names of what builds can do (BuildKit's solver/pb/caps.go). */
export const buildCapabilities = enabled([
  "source.image",
  "source.image.resolvemode",
  "source.http",
  "source.local",
  "source.local.unique",
  "source.local.sessionid",
  "source.local.includepatterns",
  "source.local.followpaths",
  "source.local.excludepatterns",
  "source.local.sharedkeyhint",
  "exec.meta.base",
  "exec.meta.network",
  "exec.meta.proxyenv",
  "exec.meta.security",
  "exec.meta.ulimit",
  "exec.meta.cgroup.parent",
  "exec.mount.bind",
  "exec.mount.cache",
  "exec.mount.cache.sharing",
  "exec.mount.secret",
  "exec.mount.ssh",
  "exec.mount.tmpfs",
  "exec.mount.tmpfs.size",
  "file.base",
  "constraints",
  "platform",
  "meta.ignorecache",
  "meta.description",
  "meta.exportcache",
  "exporter.image.annotations",
  "exporter.image.attestations",
  "exporter.multiple",
  "exporter.sourcedateepoch",
]);

function enabled(ids: string[]): Encodable<typeof capability>[] {
  return ids.map((id) => ({ id, enabled: true }));
}
