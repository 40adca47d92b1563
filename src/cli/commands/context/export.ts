import { closeSync, openSync, writeSync } from "node:fs";
import { between, defineCommand } from "../../command.ts";
import { packContext } from "../../contexts/archive.ts";
import { tlsFiles } from "../../contexts/endpoint.ts";
import { readContext } from "../../contexts/store.ts";
import { CliError } from "../../errors.ts";
import type { Session } from "../../session.ts";
import { writeNow } from "../../stdio.ts";

export const command = defineCommand({
  usage: "CONTEXT [FILE|-]",
  arity: between(1, 2),
  flags: {},
  async run({ session, args }) {
    const [name = "", file = `${name}.dockercontext`] = args;
    const bytes = packContext(archiveOf(session, name));
    if (file === "-") {
      if (process.stdout.isTTY)
        throw new CliError("cowardly refusing to export to a terminal, specify a file path");
      writeNow(1, bytes);
      return 0;
    }
    writeNew(file, bytes);
    session.err(`Written file ${JSON.stringify(file)}`);
    return 0;
  },
});

const archiveOf = (session: Session, name: string) => {
  const folder = session.configFolder;
  if (name !== "default") return { meta: readContext(folder, name), tls: tlsFiles(folder, name) };
  const { url } = session.endpoint;
  const docker = { Host: url, SkipTLSVerify: false };
  return { meta: { Name: name, Metadata: {}, Endpoints: { docker } }, tls: {} };
};

/** It may hold a key: nobody else reads it, and nothing is overwritten. */
function writeNew(file: string, bytes: Buffer): void {
  let fd: number;
  try {
    fd = openSync(file, "wx", 0o600);
  } catch (error) {
    const code = (error as { code?: string }).code;
    throw code === "EEXIST" ? new CliError(`open ${file}: file exists`) : error;
  }
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
}
