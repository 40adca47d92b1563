import { parseReference } from "../../../lib/image/reference.ts";
import { humanSize } from "../../../lib/text/units.ts";
import type { Descriptor } from "../../../types/oci.ts";
import { defineCommand, exactly } from "../../command.ts";
import { registryAuth } from "../../credentials/registry-auth.ts";
import { listFormat } from "../../flags/common.ts";
import { bool, string } from "../../flags/flag.ts";
import { formatList } from "../../output/formatter.ts";
import type { RowKind } from "../../output/row-kind.ts";

const rows = (noTrunc: boolean): RowKind<Descriptor> => ({
  goType: "*formatter.referrerContext",
  headers: {
    Digest: "DIGEST",
    ArtifactType: "ARTIFACT TYPE",
    MediaType: "MEDIA TYPE",
    Size: "SIZE",
    CreatedAt: "CREATED",
  },
  fields: {
    Digest: ({ digest }) => (noTrunc ? digest : digest.slice(0, "sha256:".length + 12)),
    ArtifactType: ({ artifactType = "" }) => artifactType,
    MediaType: ({ mediaType }) => mediaType,
    Size: ({ size }) => humanSize(size, 3),
    CreatedAt: ({ annotations }) => annotations?.["org.opencontainers.image.created"] ?? "",
  },
  methods: {
    Annotation:
      ({ annotations }) =>
      (name) =>
        annotations?.[String(name)] ?? "",
  },
});

export const command = defineCommand({
  usage: "MANIFEST",
  description:
    "List what a registry has that refers to a manifest: signatures, SBOMs, attestations (OCI 1.1). Where the registry has " +
    "no API for it, its tag sha256-… is read. A name of several platforms stands for the index, not for one of its images.",
  arity: exactly(1),
  flags: {
    artifactType: string("artifact-type", "Only those of this type"),
    format: listFormat(),
    noTrunc: bool("no-trunc", "Do not shorten"),
    quiet: bool("quiet,q", "Show only digests"),
  },
  async run({ session, args: [name = ""], flags }) {
    const { domain } = parseReference(name);
    const { Referrers } = await session.client.json<{ Referrers: Descriptor[] }>(
      "GET",
      `/berth/referrers/${encodeURIComponent(name)}`,
      {
        query: { "artifact-type": flags.artifactType || undefined },
        headers: await registryAuth(session, domain),
      },
    );
    session.write(
      formatList(rows(flags.noTrunc || flags.quiet), Referrers, {
        format: flags.format,
        quiet: flags.quiet,
        table: "{{.Digest}}\t{{.ArtifactType}}\t{{.Size}}\t{{.CreatedAt}}",
        quietTemplate: "{{.Digest}}",
      }),
    );
    return 0;
  },
});
