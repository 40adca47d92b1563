import { statSync } from "node:fs";
import { isTerminal } from "../../stdio.ts";
import { buildError, optionError } from "../failure.ts";
import { csv } from "./pairs.ts";

/** One `--output`. `dest`: where the client writes what the engine sends; "-" is stdout. */
export interface Output {
  type: string;
  attributes: Record<string, string>;
  dest: string | undefined;
  /** what is sent is a tar that is to be unpacked into `dest` */
  unpacked?: boolean;
}

const sinkTypes: readonly string[] = ["local", "tar", "oci", "docker"];

interface OutputOptions {
  output: readonly string[];
  load: boolean;
  push: boolean;
  hasTags: boolean;
}

/** Without any, the image goes into the engine. */
export function parseOutputs({ output, load, push, hasTags }: OutputOptions): Output[] {
  const outputs = output.filter((text) => text !== "").map(parseOutput);
  if (push) {
    if (!hasTags) throw buildError("tag is needed when pushing to registry");
    const image = outputs.find(({ type }) => type === "image" || type === "registry");
    if (image) image.attributes["push"] = "true";
    else outputs.push({ type: "image", attributes: { push: "true" }, dest: undefined });
  }
  const nameless = outputs.some(({ attributes: { push, name } }) => push === "true" && !name);
  if (nameless && !hasTags) throw buildError("tag is needed when pushing to registry");
  if (load && !outputs.some(({ type }) => type === "docker" || type === "image"))
    outputs.push({ type: "image", attributes: {}, dest: undefined });
  if (outputs.length === 0) outputs.push({ type: "image", attributes: {}, dest: undefined });
  return outputs;
}

function parseOutput(text: string): Output {
  const parts = csv(text);
  const [only = ""] = parts;
  if (parts.length === 1 && !only.startsWith("type=")) return ofPath(only);
  const attributes: Record<string, string> = {};
  for (const part of parts) {
    const equals = part.indexOf("=");
    if (equals < 0) throw optionError(`invalid value ${part}`);
    attributes[part.slice(0, equals).trim().toLowerCase()] = part.slice(equals + 1);
  }
  const { type = "", dest, ...others } = attributes;
  if (type === "") throw optionError("type is required for output");
  return ofType(type, others, dest);
}

const ofPath = (path: string): Output =>
  path === "-" ? ofType("tar", {}, "-") : { type: "local", attributes: {}, dest: path };

function ofType(type: string, attributes: Record<string, string>, dest: string | undefined): Output {
  if (type === "registry")
    return { type: "image", attributes: { push: "true", ...attributes }, dest: undefined };
  if (type === "docker" && dest === undefined) return { type: "image", attributes, dest };
  if (type === "local" && !dest) throw buildError("dest is required for local exporter");
  if (type === "local" && dest === "-") throw buildError("dest cannot be stdout for local exporter");
  if (!sinkTypes.includes(type)) return { type, attributes, dest };
  if (attributes["tar"] === "false") return folderOutput(type, attributes, dest);
  const target = dest ?? "-";
  if (target === "-" && isTerminal(1))
    throw buildError(`dest file is required for ${type} exporter. refusing to write to console`);
  return { type, attributes, dest: target };
}

/** Files that are no image have no ID. */
export function checkIdFile(outputs: readonly Output[]): void {
  if (outputs.some(({ type }) => type === "local" || type === "tar"))
    throw optionError("local and tar exporters are incompatible with image ID file");
}

/** Before anything is built: a folder has no place where a file is, and a file none where a folder is. */
export function checkPlaces(outputs: readonly Output[]): void {
  for (const { type, dest, unpacked = type === "local" } of outputs) {
    if (dest === undefined || dest === "-") continue;
    const found = statSync(dest, { throwIfNoEntry: false });
    if (found === undefined || found.isDirectory() === unpacked) continue;
    const [wanted, there] = unpacked ? ["directory", "file"] : ["file", "directory"];
    throw buildError(`destination ${wanted} ${dest} is a ${there}`);
  }
}

/** `tar=false`: what would be an archive is unpacked into a folder. */
function folderOutput(
  type: string,
  { tar: _tar, ...attributes }: Record<string, string>,
  dest: string | undefined,
): Output {
  if (!dest || dest === "-") throw buildError(`dest is required for ${type} exporter`);
  return { type, attributes, dest, unpacked: true };
}
