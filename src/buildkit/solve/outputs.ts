import type { BuildOutput } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { ClientStore } from "../session/content-store.ts";
import { fileSinkOf, folderSinkOf } from "../session/file-send.ts";
import type { Session } from "../session/session.ts";
import type { Parts } from "./parts.ts";

export interface Exporter {
  type: string;
  attrs: ReadonlyMap<string, string>;
}

interface Outputs {
  outputs: BuildOutput[];
  tags: string[];
  annotations: Map<string, string>;
}

/** `annotation.key`, `annotation-manifest[linux/arm64].key`: kept by where they go (`build/export/annotations.ts`). */
function readAnnotation(name: string, value: string, annotations: Map<string, string>): void {
  const match = /^annotation(?:-([a-z-]+))?(\[[^\]]*\])?\.(.*)$/s.exec(name);
  if (match === null) return;
  const [, place, platform = "", key = ""] = match;
  const isPlain = place === undefined && platform === "";
  annotations.set(isPlain ? key : `${place ?? "manifest"}${platform}:${key}`, value);
}

/** What a solve's exporters mean. An exporter's place in the list is what its client knows it by. */
export function outputsOf(
  exporters: readonly Exporter[],
  session: Session,
  parts: Parts,
  signal: AbortSignal,
): Outputs {
  const tags: string[] = [];
  const annotations = new Map<string, string>();
  const outputs = exporters.map(({ type, attrs }, place): BuildOutput => {
    const attributes = Object.fromEntries(attrs);
    for (const [name, value] of attrs) readAnnotation(name, value, annotations);
    switch (type) {
      case "moby":
      case "image":
        tags.push(...(attributes["name"] ?? "").split(",").filter((name) => name !== ""));
        return { type: "image", attributes };
      case "docker":
      case "oci":
      case "tar":
        // the client offers a folder that keeps blobs, one for all exporters
        if (attributes["tar"] === "false" && type !== "tar")
          return { type: "oci", attributes, store: new ClientStore(session, "export", signal) };
        return { type, attributes, sink: fileSinkOf(session, place, new Map(), signal) };
      case "local":
        return { type: "local", attributes, sink: folderSinkOf(session, place, parts.worker, signal) };
      default:
        throw new EngineError("invalid", `exporter "${type}" could not be found`);
    }
  });
  if (outputs.length === 0) outputs.push({ type: "cacheonly", attributes: {} });
  return { outputs, tags, annotations };
}
