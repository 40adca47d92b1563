/** What a plugin says of itself when it is called with `docker-cli-plugin-metadata`. */
export interface PluginMetadata {
  SchemaVersion?: string;
  Vendor?: string;
  Version?: string;
  ShortDescription?: string;
  URL?: string;
}

const timeoutMs = 10_000;

/** Throws a sentence that says why the program is no plugin. */
export async function readMetadata(path: string): Promise<PluginMetadata> {
  const child = Bun.spawn([path, "docker-cli-plugin-metadata"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: timeoutMs,
  });
  const [text, code] = await Promise.all([child.stdout.text(), child.exited]);
  if (code !== 0) throw new Error(`failed to fetch metadata: exit status ${code}`);
  let metadata: PluginMetadata | null;
  try {
    metadata = JSON.parse(text) as PluginMetadata | null;
  } catch (error) {
    throw new Error(`invalid metadata: ${(error as Error).message}`);
  }
  const { SchemaVersion: schema, Vendor } = metadata ?? {};
  if (schema === undefined || !/^0\.1\.\d+$/.test(schema))
    throw new Error(`plugin SchemaVersion ${JSON.stringify(schema ?? "")} is not valid, must be 0.1.0`);
  if (!Vendor) throw new Error("plugin metadata does not define a vendor");
  return metadata ?? {};
}
