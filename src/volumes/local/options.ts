import { EngineError, messageOf } from "../../lib/errors.ts";
import { parseRamSize } from "../../lib/text/units.ts";

/** What the options of a `local` volume ask for: nothing, a mount, or a file system of a limited size. */
export interface LocalOptions {
  mount?: { type: string; device: string; o: string };
  sizeBytes?: number;
}

const names: ReadonlySet<string> = new Set(["type", "o", "device", "size"]);
const needed: readonly [option: string, others: readonly string[]][] = [
  ["device", ["type"]],
  ["type", ["device"]],
  ["o", ["device", "type"]],
];

/** Throws `invalid` with Docker's sentences. */
export function localOptions(options: Readonly<Record<string, string>>): LocalOptions {
  const refuse = (why: string): never => {
    throw new EngineError("invalid", why);
  };
  const has = (option: string): boolean => Object.hasOwn(options, option);
  for (const option of Object.keys(options))
    if (!names.has(option)) refuse(`invalid option: ${JSON.stringify(option)}`);
  for (const [option, others] of needed) {
    const missing = has(option) ? others.find((other) => !has(other)) : undefined;
    if (missing !== undefined) refuse(`missing required option: ${JSON.stringify(missing)}`);
  }
  const { type = "", o = "", device = "", size } = options;
  for (const value of [type, o, device]) if (value.includes("\0")) refuse("an option holds a NUL byte");
  const mount = device === "" && type === "" ? {} : { mount: { type, device, o } };
  if (size === undefined) return mount;
  if (mount.mount)
    refuse(
      "a size limit is for volumes of this machine's disk; limit what is mounted by its own options, as o=size=64m of tmpfs",
    );
  return { sizeBytes: sizeOf(size, refuse) };
}

function sizeOf(text: string, refuse: (why: string) => never): number {
  let size: number;
  try {
    size = parseRamSize(text);
  } catch (error) {
    return refuse(messageOf(error));
  }
  if (!Number.isSafeInteger(size) || size <= 0) return refuse(`invalid size: '${text}'`);
  return size;
}
