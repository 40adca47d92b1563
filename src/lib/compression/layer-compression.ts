import { EngineError } from "../errors.ts";
import { goBool, goBoolError } from "../go/bool.ts";

/** How a layer's tar is packed: the same source packed the same way is the same bytes. */
export interface LayerCompression {
  type: "gzip" | "zstd" | "uncompressed";
  /** zlib's 0–9, zstd's 1–22; 0 where nothing is compressed */
  level: number;
}

/** What the attributes of an output, or of a cache's target, say of how layers and manifests are written. */
export interface LayerForm {
  /** undefined = nothing was said */
  compression: LayerCompression | undefined;
  /** also of layers that are known in another form */
  force: boolean;
  /** media types: OCI's or Docker's; undefined = nothing was said */
  oci: boolean | undefined;
}

/** Where nothing is said. zlib's numbers: 2 packs files of programs to 38 %, 6 to 36 % at half the speed. */
export const gzipDefault: LayerCompression = { type: "gzip", level: 2 };
/** zstd's own default: 35 % of the same files, in less time */
const zstdLevelDefault = 3;
const zstdLevelMax = 22;

/** "zstd:3": by this name what was made so is found again. */
export const compressionName = ({ type, level }: LayerCompression): string => `${type}:${level}`;

/**
 * Reads `compression`, `compression-level`, `force-compression` and `oci-mediatypes` as BuildKit does (docs/reference of
 * `docker buildx build --output`). Throws `invalid`, or `notImplemented` for estargz.
 */
export function layerForm(attributes: Readonly<Record<string, string>>): LayerForm {
  const { compression: type, "compression-level": level } = attributes;
  const force = flagOf(attributes, "force-compression");
  const oci = flagOf(attributes, "oci-mediatypes");
  // Docker's media types have none for zstd, which the layers may be known in
  const isAsked = type !== undefined || level !== undefined || force !== undefined || oci === false;
  return {
    compression: isAsked ? compressionOf(type ?? "gzip", level) : undefined,
    force: force ?? false,
    oci,
  };
}

function compressionOf(type: string, levelText: string | undefined): LayerCompression {
  const level = levelText === undefined ? undefined : integer(levelText);
  switch (type) {
    case "uncompressed":
      return { type, level: 0 };
    case "gzip":
      return { type, level: gzipLevel(level) };
    case "zstd":
      return { type, level: zstdLevel(level) };
    case "estargz":
      throw new EngineError(
        "notImplemented",
        "layers compressed as estargz are not built in berth: zstd, gzip and uncompressed are",
      );
    default:
      throw invalid(`unsupported layer compression type ${type}`);
  }
}

/** -1 is Go's and zlib's name for the default. */
function gzipLevel(level = -1): number {
  if (level === -1) return gzipDefault.level;
  if (level < 0 || level > 9) throw invalid(`gzip: invalid compression level: ${level}`);
  return level;
}

/** BuildKit takes any number: below 0 is its default, and there is nothing beyond the first and the last. */
const zstdLevel = (level = -1): number =>
  level < 0 ? zstdLevelDefault : Math.min(zstdLevelMax, Math.max(1, level));

function integer(text: string): number {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw invalid(
    `non-integer value ${text} specified for compression-level: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** A key without a value is set. */
function flagOf(attributes: Readonly<Record<string, string>>, key: string): boolean | undefined {
  const text = attributes[key];
  if (text === undefined) return undefined;
  const value = text === "" ? true : goBool(text);
  if (value === undefined) throw invalid(`non-bool value ${text} specified for ${key}: ${goBoolError(text)}`);
  return value;
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);
