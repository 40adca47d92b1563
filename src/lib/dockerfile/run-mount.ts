import { EngineError, messageOf } from "../errors.ts";
import { parseCsv } from "../go/csv.ts";
import { withSuggestion } from "../text/suggest.ts";
import { parseRamSize } from "../text/units.ts";

/** `RUN --mount=type=…,target=…` (https://docs.docker.com/reference/dockerfile/#run---mount). Errors are `invalid`. */
export interface RunMount {
  type: MountType;
  /** stage, image or context; "" = the build's context */
  from: string;
  source: string;
  target: string;
  readOnly: boolean;
  /** bytes, of a tmpfs */
  sizeLimit: number | undefined;
  id: string;
  sharing: "shared" | "private" | "locked";
  required: boolean;
  /** variable that holds a secret; "" = the id's name */
  env: string | undefined;
  mode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
}

export type MountType = "bind" | "cache" | "tmpfs" | "secret" | "ssh";

const mountTypes: readonly string[] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const sharingModes: readonly string[] = ["shared", "private", "locked"];
const keys = [
  ...["type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode"],
  ...["uid", "gid", "src", "dst", "destination", "ro", "rw", "readwrite", "env"],
];

const invalid = (message: string): EngineError => new EngineError("invalid", message);
const quoted = (text: string): string => JSON.stringify(text);

/** The `key=value` fields of a mount; the value is absent where there is no `=`. */
export function mountFields(text: string): { field: string; key: string; value: string | undefined }[] {
  return csvFields(text).map((field) => {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    return { field, key, value: equals < 0 ? undefined : field.slice(equals + 1) };
  });
}

function csvFields(text: string): string[] {
  if (text === "") throw invalid("failed to parse csv mounts: EOF");
  try {
    return parseCsv(text);
  } catch (error) {
    throw invalid(`failed to parse csv mounts: ${messageOf(error)}`);
  }
}

/** Reads a mount, its values expanded. */
export function parseRunMount(text: string, expand: (word: string) => string): RunMount {
  const mount = new MountReader();
  for (const { field, key, value } of mountFields(text)) {
    if (value === undefined) mount.bare(key, field);
    else mount.set(key, expand(value), field);
  }
  return mount.finish();
}

class MountReader {
  private type: MountType = "bind";
  private readOnly: boolean | undefined;
  private sharing = "";
  private required = false;
  private sizeLimit: number | undefined;
  private readonly texts = { from: "", source: "", target: "", id: "" };
  private env: string | undefined;
  private readonly numbers = new Map<"mode" | "uid" | "gid", number>();

  bare(key: string, field: string): void {
    if (key === "readonly" || key === "ro") this.readOnly = true;
    else if (key === "readwrite" || key === "rw") this.readOnly = false;
    else if (key === "required") this.require(key, true);
    else throw invalid(`invalid field '${field}' must be a key=value pair`);
  }

  set(key: string, value: string, field: string): void {
    const text = { src: "source", dst: "target", destination: "target" }[key] ?? key;
    if (text === "from" || text === "source" || text === "target" || text === "id") this.texts[text] = value;
    else if (key === "type") this.setType(value);
    else if (key === "readonly" || key === "ro") this.readOnly = truth(key, value);
    else if (key === "readwrite" || key === "rw") this.readOnly = !truth(key, value);
    else if (key === "required") this.require(key, truth(key, value));
    else if (key === "size") this.setSize(key, value);
    else if (key === "sharing") this.setSharing(value);
    else if (key === "mode") this.numbers.set(key, number(key, value, 8));
    else if (key === "uid" || key === "gid") this.numbers.set(key, number(key, value, 10));
    else if (key === "env") this.env = value;
    else throw invalid(withSuggestion(`unexpected key '${key}' in '${field}'`, key, keys));
  }

  finish(): RunMount {
    const { type, sharing } = this;
    this.check();
    return {
      type,
      ...this.texts,
      readOnly: this.readOnly ?? !(type === "cache" || type === "tmpfs"),
      sizeLimit: this.sizeLimit,
      sharing: sharing === "private" || sharing === "locked" ? sharing : "shared",
      required: this.required,
      env: this.env,
      mode: this.numbers.get("mode"),
      uid: this.numbers.get("uid"),
      gid: this.numbers.get("gid"),
    };
  }

  private check(): void {
    const { type, texts } = this;
    if (type === "bind" || type === "tmpfs")
      for (const key of ["mode", "uid", "gid"] as const)
        if (this.numbers.has(key)) throw invalid(`${key} not allowed for ${quoted(type)} type mounts`);
    if (type === "secret") {
      if (texts.from !== "") throw invalid("secret mount should not have a from");
      if (this.sharing !== "") throw invalid("secret mount should not define sharing");
      if (texts.source === "" && texts.target === "" && texts.id === "")
        throw invalid("invalid secret mount. one of source, target required");
      if (texts.source !== "" && texts.id !== "") throw invalid("both source and id can't be set");
    }
    if (this.sharing !== "" && type !== "cache") throw invalid(`invalid cache sharing set for ${type} mount`);
  }

  private setType(value: string): void {
    const type = value.toLowerCase();
    if (!mountTypes.includes(type))
      throw invalid(withSuggestion(`unsupported mount type ${quoted(value)}`, value, mountTypes));
    this.type = type as MountType;
  }

  private setSharing(value: string): void {
    const sharing = value.toLowerCase();
    if (!sharingModes.includes(sharing))
      throw invalid(withSuggestion(`unsupported sharing value ${quoted(value)}`, value, sharingModes));
    this.sharing = sharing;
  }

  private setSize(key: string, value: string): void {
    if (this.type !== "tmpfs") throw unexpected(key, this.type);
    try {
      this.sizeLimit = parseRamSize(value);
    } catch (error) {
      throw new EngineError("invalid", `invalid value for ${key}: ${value}`, { cause: error });
    }
  }

  private require(key: string, value: boolean): void {
    if (this.type !== "secret" && this.type !== "ssh") throw unexpected(key, this.type);
    this.required = value;
  }
}

const unexpected = (key: string, type: string): EngineError =>
  invalid(`unexpected key '${key}' for mount type '${type}'`);

/** Go's ParseBool. */
function truth(key: string, value: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  throw invalid(`invalid value for ${key}: ${value}`);
}

function number(key: string, value: string, base: 8 | 10): number {
  const parsed = (base === 8 ? /^[0-7]{1,11}$/ : /^\d{1,10}$/).test(value)
    ? Number.parseInt(value, base)
    : -1;
  if (parsed < 0 || parsed > 0xffffffff) throw invalid(`invalid value ${value} for ${key}`);
  return parsed;
}
