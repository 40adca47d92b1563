import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";

export interface TlsFiles {
  ca?: string[];
  cert?: string[];
  key?: string[];
}

/** A file of certificates; real ones are some kilobytes. */
const fileMax = 1024 * 1024;

/**
 * What `<folder>/<host[:port]>/` holds for a registry: `*.crt` are authorities to trust beside the system's, `x.cert`
 * with `x.key` a client's certificate. Read anew for each request that needs it, so that renewed files count at once.
 */
export async function tlsFiles(host: string, folders: readonly string[]): Promise<TlsFiles> {
  const files: TlsFiles = {};
  for (const folder of folders) await take(join(folder, host), files);
  return files;
}

async function take(folder: string, files: TlsFiles): Promise<void> {
  const names = await namesIn(folder);
  for (const name of names.filter((each) => each.endsWith(".crt")))
    files.ca = [...(files.ca ?? (await systemAuthorities())), await text(join(folder, name))];
  for (const name of names.filter((each) => each.endsWith(".cert"))) {
    const key = `${name.slice(0, -".cert".length)}.key`;
    if (!names.includes(key))
      throw new EngineError(
        "invalid",
        `missing key ${key} for client certificate ${name}. CA certificates must use the extension .crt`,
      );
    files.cert = [...(files.cert ?? []), await text(join(folder, name))];
    files.key = [...(files.key ?? []), await text(join(folder, key))];
  }
  for (const name of names.filter((each) => each.endsWith(".key")))
    if (!names.includes(`${name.slice(0, -".key".length)}.cert`))
      throw new EngineError(
        "invalid",
        `missing client certificate ${name.slice(0, -".key".length)}.cert for key ${name}`,
      );
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new EngineError("internal", messageOf(error), { cause: error });
  }
}

async function text(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.length > fileMax) throw new EngineError("tooLarge", `${path} is over ${fileMax} bytes`);
  return bytes.toString("utf8");
}

const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
];

/** Naming authorities replaces the built-in ones, so the system's are named too. */
async function systemAuthorities(): Promise<string[]> {
  for (const path of bundles) {
    try {
      return [await readFile(path, "utf8")];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return [];
}
