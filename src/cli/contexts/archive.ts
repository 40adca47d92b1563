import { TarReader } from "../../lib/tar/reader.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import { CliError } from "../errors.ts";
import type { ContextMeta } from "./store.ts";

/** A context in one file, as docker's client writes it: `meta.json`, and TLS files at `tls/docker/<name>`. */
interface ContextArchive {
  meta: ContextMeta;
  tls: Record<string, Buffer>;
}

const fileSizeMax = 10 * 1024 * 1024;

export function packContext({ meta, tls }: ContextArchive): Buffer {
  const parts: Uint8Array[] = [];
  const file = (name: string, content: Buffer, mode: number): void => {
    parts.push(headerOf(tarEntry({ type: "file", name, mode, size: content.length })), content);
    parts.push(padding(content.length));
  };
  const folder = (name: string): void => {
    parts.push(headerOf(tarEntry({ type: "directory", name, mode: 0o700 })));
  };
  file("meta.json", Buffer.from(JSON.stringify(meta)), 0o644);
  folder("tls");
  if (Object.keys(tls).length > 0) folder("tls/docker");
  for (const [name, content] of Object.entries(tls)) file(`tls/docker/${name}`, content, 0o600);
  return Buffer.concat([...parts, endOfArchive]);
}

/** Throws a sentence for what is no such archive. Names that lead anywhere else are refused. */
export function unpackContext(bytes: Uint8Array): ContextArchive {
  const files = readFiles(bytes);
  const text = files.get("meta.json");
  if (!text) throw new CliError("invalid context: no metadata found");
  const tls: Record<string, Buffer> = {};
  for (const [name, content] of files) {
    if (name === "meta.json") continue;
    const file = /^tls\/docker\/([a-z]+\.pem)$/.exec(name)?.[1];
    if (!file) throw new CliError(`unexpected context file: ${name}`);
    tls[file] = content;
  }
  const meta = JSON.parse(text.toString("utf8")) as Partial<ContextMeta> | null;
  return { meta: { Name: "", Metadata: {}, Endpoints: {}, ...meta }, tls };
}

function readFiles(bytes: Uint8Array): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let open: { name: string; parts: Uint8Array[] } | undefined;
  const reader = new TarReader({
    entry({ type, name, size }) {
      if (type === "directory") return;
      if (type !== "file" || size > fileSizeMax) throw new CliError(`unexpected context file: ${name}`);
      open = { name: name.replace(/^\.\//, ""), parts: [] };
    },
    data: (piece) => void open?.parts.push(Buffer.from(piece)),
    end() {
      if (open) files.set(open.name, Buffer.concat(open.parts));
      open = undefined;
    },
  });
  reader.push(bytes);
  reader.finish();
  return files;
}
