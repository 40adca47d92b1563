import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { any, defineCommand } from "../../command.ts";
import { metaFolder, readContext, tlsFolder } from "../../contexts/store.ts";
import { objectFormat } from "../../flags/common.ts";
import { inspectAll } from "../../output/inspect.ts";
import type { Session } from "../../session.ts";

export const command = defineCommand({
  usage: "[CONTEXT] [CONTEXT...]",
  arity: any,
  flags: { format: objectFormat() },
  run: ({ session, args, flags }) =>
    inspectAll(session, args.length > 0 ? args : [session.endpoint.context], flags.format, async (name) =>
      JSON.stringify(describe(session, name)),
    ),
});

function describe(session: Session, name: string): object {
  const folder = session.configFolder;
  if (name === "default") {
    const { url } = session.endpoint;
    return {
      Name: "default",
      Metadata: {},
      Endpoints: { docker: { Host: url, SkipTLSVerify: false } },
      TLSMaterial: {},
      Storage: { MetadataPath: "<IN MEMORY>", TLSPath: "<IN MEMORY>" },
    };
  }
  const tls = tlsFolder(folder, name);
  const files = existsSync(join(tls, "docker")) ? { docker: readdirSync(join(tls, "docker")) } : {};
  return {
    ...readContext(folder, name),
    TLSMaterial: files,
    Storage: { MetadataPath: metaFolder(folder, name), TLSPath: tls },
  };
}
