import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";

/**
 * Plugins are found by files: a socket in a runtime folder, or a file that says where the plugin listens (`.spec` holds
 * an address, `.json` an address and TLS files). A name is a file's without its ending, directly in the folder or in a
 * folder of that name. Docker's "Docker plugin API" page.
 */
export interface PluginAddress {
  name: string;
  /** unix:///path, tcp://host:port or https://… */
  url: string;
  tls?: { ca?: string; cert?: string; key?: string; insecure: boolean };
}

export interface PluginFolders {
  /** looked through first */
  sockets: string;
  specs: readonly string[];
}

export const pluginFolders: PluginFolders = {
  sockets: "/run/docker/plugins",
  specs: ["/etc/docker/plugins", "/usr/lib/docker/plugins"],
};

const pluginName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const fileSizeMax = 64 * 1024;

/** Names of everything that looks like a plugin. */
export async function pluginNames({ sockets, specs }: PluginFolders): Promise<string[]> {
  const names = new Set<string>();
  for (const [folder, endings] of [
    [sockets, [".sock"]],
    ...specs.map((folder): [string, string[]] => [folder, [".spec", ".json"]]),
  ] as const)
    for (const name of await namesIn(folder, endings)) names.add(name);
  return [...names].sort();
}

async function namesIn(folder: string, endings: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const ending = extname(entry.name);
    if (entry.isDirectory()) {
      const inside = await entriesOf(join(folder, entry.name));
      if (inside.some(({ name }) => endings.some((end) => name === entry.name + end))) names.push(entry.name);
    } else if (endings.includes(ending)) names.push(basename(entry.name, ending));
  }
  return names.filter((name) => pluginName.test(name));
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "ENOENT" || code === "ENOTDIR") return []; // no plugins were ever put there
    throw error;
  }
}

/** Where a plugin listens; undefined where there is none of that name. Throws `internal` for a file that makes no sense. */
export async function findPlugin(
  { sockets, specs }: PluginFolders,
  name: string,
): Promise<PluginAddress | undefined> {
  if (!pluginName.test(name)) return undefined;
  for (const path of [join(sockets, `${name}.sock`), join(sockets, name, `${name}.sock`)])
    if (await isSocket(path)) return { name, url: `unix://${path}` };
  for (const folder of specs)
    for (const ending of [".spec", ".json"])
      for (const path of [join(folder, name + ending), join(folder, name, name + ending)]) {
        const text = await textOf(path);
        if (text !== undefined)
          return ending === ".spec" ? { name, url: text.trim() } : described(name, path, text);
      }
  return undefined;
}

const isSocket = (path: string): Promise<boolean> =>
  stat(path).then(
    (status) => status.isSocket(),
    () => false, // not there
  );

async function textOf(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, "utf8");
    return text.length > fileSizeMax ? undefined : text;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(String((error as { code?: unknown }).code)))
      return undefined;
    throw error;
  }
}

function described(name: string, path: string, text: string): PluginAddress {
  try {
    const { Addr, TLSConfig } = JSON.parse(text) as {
      Addr?: unknown;
      TLSConfig?: { InsecureSkipVerify?: boolean; CAFile?: string; CertFile?: string; KeyFile?: string };
    };
    if (typeof Addr !== "string" || Addr === "") throw new Error("it has no Addr");
    if (!TLSConfig) return { name, url: Addr };
    const { CAFile: ca, CertFile: cert, KeyFile: key, InsecureSkipVerify: insecure = false } = TLSConfig;
    return {
      name,
      url: Addr,
      tls: { insecure, ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) },
    };
  } catch (error) {
    throw new EngineError("internal", `plugin file ${path}: ${messageOf(error)}`, { cause: error });
  }
}
