import { ApiError } from "../../../client/errors.ts";
import { canonical, parseReference, withDefaultTag } from "../../../lib/reference.ts";
import type { Platform } from "../../../types/oci.ts";
import { between, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";
import { registryAuth } from "../../registry-auth.ts";
import type { Session } from "../../session.ts";
import { type IndexEntry, shownIndex, shownPlatform } from "./shown.ts";

interface RemoteManifest {
  Ref: string;
  Descriptor: { mediaType: string; digest: string; size: number; platform?: Partial<Platform> };
  Raw: string;
}

export const command = defineCommand({
  usage: "[MANIFEST_LIST] MANIFEST",
  description:
    "Show a manifest or index as its registry has it. The engine asks, with its certificates and proxies.",
  arity: between(1, 2),
  flags: {
    insecure: bool("insecure", "The engine's insecure-registries decide; there for docker's scripts"),
    raw: bool("raw", "Print the bytes whose digest it has, as they are"),
    verbose: bool("verbose,v", "Show descriptors and platforms too, those of an index one by one"),
  },
  async run({ session, args, flags }) {
    const name = args.at(-1) ?? "";
    const found = await read(session, name);
    const text = Buffer.from(found.Raw, "base64").toString("utf8");
    if (flags.raw) {
      session.write(text);
      return 0;
    }
    const { mediaType } = found.Descriptor;
    const value = JSON.parse(text) as { manifests?: IndexEntry[] };
    if (!value.manifests)
      session.out(JSON.stringify(flags.verbose ? verbose(found) : value, undefined, "\t"));
    else if (value.manifests.length === 0) throw missing(name);
    else if (!flags.verbose)
      session.out(JSON.stringify(shownIndex(mediaType, value.manifests), undefined, 3));
    else session.out(JSON.stringify(await every(session, name, value.manifests), undefined, "\t"));
    return 0;
  },
});

/** Each manifest of an index, under the index's name. */
async function every(session: Session, name: string, entries: readonly IndexEntry[]): Promise<unknown[]> {
  const { domain, path, tag } = withDefaultTag(parseReference(name));
  const shown: unknown[] = [];
  for (const entry of entries) {
    const child = await read(session, `${domain}/${path}@${entry.digest}`);
    const platform = shownPlatform(entry.platform);
    const Ref = `${canonical({ domain, path, ...(tag ? { tag } : {}) })}@${entry.digest}`;
    shown.push(verbose({ ...child, Ref, Descriptor: { ...child.Descriptor, platform } }));
  }
  return shown;
}

async function read(session: Session, name: string): Promise<RemoteManifest> {
  const { domain } = parseReference(name);
  try {
    return await session.client.json<RemoteManifest>("GET", `/berth/manifests/${encodeURIComponent(name)}`, {
      headers: await registryAuth(session, domain),
    });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) throw missing(name);
    throw error;
  }
}

const missing = (name: string): CliError => new CliError(`no such manifest: ${name}`);

function verbose({ Ref, Descriptor, Raw }: RemoteManifest): Record<string, unknown> {
  const content: unknown = JSON.parse(Buffer.from(Raw, "base64").toString("utf8"));
  const key = Descriptor.mediaType.startsWith("application/vnd.oci") ? "OCIManifest" : "SchemaV2Manifest";
  const platform = shownPlatform(Descriptor.platform);
  return { Ref, Descriptor: { ...Descriptor, platform }, Raw, [key]: content };
}
