import { inspectText } from "../../client/containers.ts";
import { isNotFound } from "../../client/errors.ts";
import { atLeast, defineCommand } from "../command.ts";
import { CliError } from "../errors.ts";
import { objectFormat } from "../flags/common.ts";
import { bool, string } from "../flags/flag.ts";
import { inspectAll } from "../output/inspect.ts";
import { asFlag, printRecipes } from "../recipe/print.ts";
import type { Session } from "../session.ts";

const kinds = ["container", "image", "network", "volume"] as const;
const known = [
  "config",
  "container",
  "image",
  "network",
  "node",
  "plugin",
  "secret",
  "service",
  "task",
  "volume",
];

export const command = defineCommand({
  usage: "NAME|ID [NAME|ID...]",
  arity: atLeast(1),
  flags: {
    as: asFlag(),
    format: objectFormat(),
    size: bool("size,s", "Show sizes of files of containers"),
    type: string("type", "Look for this kind of object only"),
  },
  async run({ session, args, flags, changed }) {
    if (changed("type") && flags.type === "")
      throw new CliError(
        `type is empty: must be one of ${known.map((kind) => JSON.stringify(kind)).join(", ")}`,
      );
    if (flags.type && !known.includes(flags.type))
      throw new CliError(
        `unknown type: ${JSON.stringify(flags.type)}: must be one of ${known.map((kind) => JSON.stringify(kind)).join(", ")}`,
      );
    if (flags.as) return printRecipes(session, args, flags.as, flags.format);
    const find = flags.type
      ? (name: string) => fetchKind(session, flags.type, name, flags)
      : (name: string) => fetchAny(session, name, flags);
    return inspectAll(session, args, flags.format, find);
  },
});

const paths: Record<string, (name: string) => string> = {
  image: (name) => `/images/${name}/json`,
  network: (name) => `/networks/${name}`,
  volume: (name) => `/volumes/${name}`,
  config: (name) => `/configs/${name}`,
  node: (name) => `/nodes/${name}`,
  plugin: (name) => `/plugins/${name}/json`,
  secret: (name) => `/secrets/${name}`,
  service: (name) => `/services/${name}`,
  task: (name) => `/tasks/${name}`,
};

interface Asked {
  size: boolean;
  format: string;
}

async function fetchKind(
  session: Session,
  kind: string,
  name: string,
  { size, format }: Asked,
): Promise<string> {
  if (kind === "container") return inspectText(session.client, name, size, format);
  const text = await session.client.text("GET", (paths[kind] ?? (() => ""))(encodePath(name)));
  if (size) session.err(`WARNING: --size ignored for ${kind}`);
  return text;
}

const encodePath = (name: string): string => name.split("/").map(encodeURIComponent).join("/");

async function fetchAny(session: Session, name: string, asked: Asked): Promise<string> {
  for (const kind of kinds) {
    try {
      return await fetchKind(session, kind, name, asked);
    } catch (error) {
      // A name that is no valid reference cannot be an image's; the next kind is asked.
      if (!isNotFound(error) && !/invalid reference format/.test((error as Error).message)) throw error;
    }
  }
  throw new CliError(`Error: No such object: ${name}`);
}
