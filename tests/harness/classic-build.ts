/** `POST /build` with a context made of text: what any old client of the API does. */
import { endOfArchive, headerOf, padding, tarEntry } from "../../src/lib/tar/writer.ts";
import type { TestEngine } from "./engine.ts";

/** Path → content, or an entry of its own kind. */
export type Files = Readonly<Record<string, string | { link: string } | { device: [number, number] }>>;

export interface Built {
  status: number;
  /** all that was told, as text */
  text: string;
  /** `sha256:…`; "" where it failed */
  id: string;
  error: string;
}

export function contextTar(files: Files): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  for (const [name, what] of Object.entries(files)) {
    if (typeof what === "string") {
      const content = Buffer.from(what);
      pieces.push(headerOf(tarEntry({ type: "file", name, mode: 0o644, size: content.length })));
      pieces.push(content, padding(content.length));
    } else if ("link" in what)
      pieces.push(headerOf(tarEntry({ type: "symlink", name, mode: 0o777, linkName: what.link })));
    else {
      const [deviceMajor, deviceMinor] = what.device;
      pieces.push(headerOf(tarEntry({ type: "char", name, mode: 0o666, deviceMajor, deviceMinor })));
    }
  }
  return Buffer.concat([...pieces, endOfArchive]);
}

export async function build(
  engine: TestEngine,
  files: Files,
  query: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Built> {
  const response = await engine.api(`/build?${new URLSearchParams(query)}`, {
    method: "POST",
    headers: { "content-type": "application/x-tar" },
    body: contextTar(files) as Uint8Array<ArrayBuffer>,
    ...(signal === undefined ? {} : { signal }),
  });
  return told(response.status, await response.text());
}

interface Message {
  stream?: string;
  error?: string;
  message?: string;
  aux?: { ID: string };
}

function told(status: number, body: string): Built {
  const messages = body
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Message);
  return {
    status,
    text: messages.map(({ stream }) => stream ?? "").join(""),
    id: messages.findLast(({ aux }) => aux !== undefined)?.aux?.ID ?? "",
    error: messages.findLast(({ error }) => error !== undefined)?.error ?? messages.at(-1)?.message ?? "",
  };
}
