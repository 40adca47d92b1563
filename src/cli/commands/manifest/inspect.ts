import { ApiError } from "../../../client/errors.ts";
import { parseReference } from "../../../lib/reference.ts";
import { between, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";
import { registryAuth } from "../../registry-auth.ts";
import type { Session } from "../../session.ts";

interface RemoteManifest {
  Ref: string;
  Descriptor: { mediaType: string; digest: string; size: number; platform?: Record<string, string> };
  Raw: string;
}

export const command = defineCommand({
  usage: "[MANIFEST_LIST] MANIFEST",
  description:
    "Show a manifest or index as its registry has it. The engine asks, with its certificates and proxies.",
  arity: between(1, 2),
  flags: {
    insecure: bool("insecure", "The engine's insecure-registries decide; there for docker's scripts"),
    verbose: bool("verbose,v", "Show descriptors and platforms too, those of an index one by one"),
  },
  async run({ session, args, flags }) {
    const name = args.at(-1) ?? "";
    const found = await read(session, name);
    const text = Buffer.from(found.Raw, "base64").toString("utf8");
    const value = JSON.parse(text) as { manifests?: { digest: string; platform?: Record<string, string> }[] };
    if (!flags.verbose) session.out(value.manifests ? text : JSON.stringify(value, undefined, "\t"));
    else if (!value.manifests) session.out(JSON.stringify(verbose(found), undefined, "\t"));
    else {
      const { domain, path } = parseReference(name);
      const all: unknown[] = [];
      for (const { digest, platform } of value.manifests) {
        const child = await read(session, `${domain}/${path}@${digest}`);
        all.push(verbose(platform ? { ...child, Descriptor: { ...child.Descriptor, platform } } : child));
      }
      session.out(JSON.stringify(all, undefined, "\t"));
    }
    return 0;
  },
});

async function read(session: Session, name: string): Promise<RemoteManifest> {
  const { domain } = parseReference(name);
  try {
    return await session.client.json<RemoteManifest>("GET", `/berth/manifests/${encodeURIComponent(name)}`, {
      headers: await registryAuth(session, domain),
    });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) throw new CliError(`no such manifest: ${name}`);
    throw error;
  }
}

function verbose({ Ref, Descriptor, Raw }: RemoteManifest): Record<string, unknown> {
  const content: unknown = JSON.parse(Buffer.from(Raw, "base64").toString("utf8"));
  const key = Descriptor.mediaType.startsWith("application/vnd.oci") ? "OCIManifest" : "SchemaV2Manifest";
  return { Ref, Descriptor, Raw, [key]: content };
}
