/** Call metadata: lower-case names, each with the values in their order. HTTP/2 stacks fold repeated ones unless asked. */
export type Metadata = ReadonlyMap<string, readonly string[]>;

/** From the flat list of names and values that `node:http2` hands over beside its folded object. */
export function metadataOf(rawHeaders: readonly string[]): Metadata {
  const metadata = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = [rawHeaders[at], rawHeaders[at + 1]];
    const values = metadata.get(name);
    if (values) values.push(value);
    else metadata.set(name, [value]);
  }
  return metadata;
}
