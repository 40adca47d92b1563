import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../lib/errors.ts";

const fileMax = 4 << 20;
const filesMax = 256;

/** What a device adds to a container. */
export interface CdiEdits {
  env?: string[];
  deviceNodes?: {
    path: string;
    hostPath?: string;
    type?: string;
    major?: number;
    minor?: number;
    fileMode?: number;
    permissions?: string;
    uid?: number;
    gid?: number;
  }[];
  mounts?: { hostPath: string; containerPath: string; options?: string[]; type?: string }[];
  hooks?: { hookName: string; path: string; args?: string[]; env?: string[]; timeout?: number }[];
  additionalGids?: number[];
}

export interface CdiSpec {
  /** `vendor/class` */
  kind: string;
  devices: { name: string; containerEdits: CdiEdits }[];
  /** for every container that gets one of the devices */
  containerEdits: CdiEdits;
  /** place of its folder among the folders: a later one counts more */
  priority: number;
}

/** Every specification that can be read; one that cannot is told and passed over. */
export async function readSpecs(
  folders: readonly string[],
  report: (text: string) => void,
): Promise<CdiSpec[]> {
  const specs: CdiSpec[] = [];
  for (const [priority, folder] of folders.entries()) {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    for (const name of names.filter((one) => /\.(json|ya?ml)$/.test(one)).slice(0, filesMax)) {
      const path = join(folder, name);
      try {
        specs.push({ ...parseSpec(await readText(path), name.endsWith(".json")), priority });
      } catch (error) {
        report(`CDI specification ${path}: ${messageOf(error)}`);
      }
    }
  }
  return specs;
}

async function readText(path: string): Promise<string> {
  const file = await open(path);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > fileMax) throw new Error(`not a file of at most ${fileMax} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** Checks what is relied on; the rest is as the vendor wrote it. */
export function parseSpec(text: string, json: boolean): Omit<CdiSpec, "priority"> {
  const read: unknown = json ? JSON.parse(text) : Bun.YAML.parse(text);
  const spec = object(read, "it");
  const kind = spec["kind"];
  if (typeof kind !== "string" || !/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(kind))
    throw new Error("kind must be vendor/class");
  const devices = list(spec["devices"], "devices").map((device, index) => {
    const { name, containerEdits } = object(device, `devices[${index}]`);
    if (typeof name !== "string") throw new Error(`devices[${index}] has no name`);
    return { name, containerEdits: edits(containerEdits) };
  });
  return { kind, devices, containerEdits: edits(spec["containerEdits"]) };
}

function edits(value: unknown): CdiEdits {
  if (value === undefined || value === null) return {};
  const read = object(value, "containerEdits");
  const need = (key: string, ...names: string[]): void => {
    for (const item of list(read[key], key))
      for (const name of names)
        if (typeof object(item, key)[name] !== "string") throw new Error(`an item of ${key} has no ${name}`);
  };
  need("deviceNodes", "path");
  need("mounts", "hostPath", "containerPath");
  need("hooks", "hookName", "path");
  if (list(read["env"], "env").some((one) => typeof one !== "string")) throw new Error("env must be texts");
  return read as CdiEdits;
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${what} must be an object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${what} must be a list`);
  return value;
}
