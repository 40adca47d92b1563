import { canonical, type Reference } from "../../../lib/image/reference.ts";
import { between, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";
import type { Session } from "../../session.ts";
import { indexOf, type LocalManifest, rawOf, shownEntry } from "./local/entry.ts";
import { named } from "./local/reference.ts";
import { findList, readEntry } from "./local/store.ts";
import { type RemoteManifest, readRemote } from "./remote.ts";
import { goJson, type IndexEntry, shownIndex, shownPlatform } from "./shown.ts";

export const command = defineCommand({
  usage: "[MANIFEST_LIST] MANIFEST",
  description:
    "Show a list that `manifest create` began or an image of it; else a manifest or index as its registry has it. The " +
    "engine asks, with its certificates and proxies.",
  arity: between(1, 2),
  flags: {
    insecure: bool("insecure", "The engine's insecure-registries decide; there for docker's scripts"),
    raw: bool("raw", "Print the bytes whose digest it has, as they are"),
    verbose: bool("verbose,v", "Show descriptors and platforms too, those of an index one by one"),
  },
  async run({ session, args, flags }) {
    const reference = named(args.at(-1) ?? "");
    if (args.length === 2) {
      showEntry(session, readEntry(session, named(args[0] ?? ""), reference), flags);
      return 0;
    }
    const local = readable(session, reference);
    if (local) showList(session, reference, local, flags);
    else await showRemote(session, reference, flags);
    return 0;
  },
});

/** A list here that cannot be read hides none of the registry's, as with docker's client. */
function readable(session: Session, reference: Reference): LocalManifest[] | undefined {
  try {
    return findList(session, reference);
  } catch {
    return undefined;
  }
}

interface How {
  raw: boolean;
  verbose: boolean;
}

function showEntry(session: Session, entry: LocalManifest, { raw, verbose }: How): void {
  if (raw) session.write(Buffer.from(rawOf(entry), "base64").toString("utf8"));
  else if (verbose) session.out(goJson(shownEntry(entry), "\t"));
  else session.out(goJson(entry.SchemaV2Manifest ?? entry.OCIManifest, "\t"));
}

function showList(session: Session, list: Reference, entries: readonly LocalManifest[], how: How): void {
  if (how.verbose && !how.raw) {
    session.out(goJson(entries.map(shownEntry), "\t"));
    return;
  }
  const { text } = indexOf(list, entries, "failed to assemble ManifestDescriptor: ");
  if (how.raw) session.write(text);
  else session.out(text);
}

async function showRemote(session: Session, reference: Reference, { raw, verbose }: How): Promise<void> {
  const found = await readRemote(session, reference);
  const text = Buffer.from(found.Raw, "base64").toString("utf8");
  if (raw) {
    session.write(text);
    return;
  }
  const { mediaType } = found.Descriptor;
  const value = JSON.parse(text) as { manifests?: IndexEntry[] };
  if (!value.manifests)
    session.out(verbose ? goJson(shownRemote(found), "\t") : JSON.stringify(value, undefined, "\t"));
  else if (value.manifests.length === 0) throw new CliError(`no such manifest: ${canonical(reference)}`);
  else if (verbose) session.out(goJson(await every(session, reference, value.manifests), "\t"));
  else session.out(goJson(shownIndex(mediaType, value.manifests), 3));
}

/** Each manifest of an index, under the index's name. */
async function every(
  session: Session,
  { domain, path, tag }: Reference,
  entries: readonly IndexEntry[],
): Promise<unknown[]> {
  const shown: unknown[] = [];
  for (const { digest, platform } of entries) {
    const child = await readRemote(session, { domain, path, digest });
    const Ref = `${canonical({ domain, path, ...(tag ? { tag } : {}) })}@${digest}`;
    const Descriptor = { ...child.Descriptor, platform: shownPlatform(platform) };
    shown.push(shownRemote({ ...child, Ref, Descriptor }));
  }
  return shown;
}

function shownRemote({ Ref, Descriptor, Raw }: RemoteManifest): unknown {
  const content: unknown = JSON.parse(Buffer.from(Raw, "base64").toString("utf8"));
  const isOci = Descriptor.mediaType.startsWith("application/vnd.oci");
  return shownEntry({ Ref, Descriptor, Raw, [isOci ? "OCIManifest" : "SchemaV2Manifest"]: content });
}
