import { EngineError } from "../lib/errors.ts";
import { formatPlatform, isSamePlatform, parsePlatform } from "../lib/platform.ts";
import type { Platform } from "../types/oci.ts";
import type { ImageRecord } from "./store.ts";

/** `{"os":"linux","architecture":"arm64"}`, as the API has it, or `linux/arm64`; undefined where none is asked for. */
export function platformOf(text: string | undefined): Platform | undefined {
  if (text === undefined || text === "") return undefined;
  if (!text.startsWith("{")) return parsePlatform(text);
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError("invalid", "failed to parse platform: unexpected end of JSON input", { cause });
  }
  const { os, architecture, variant } = value;
  if (typeof os !== "string" || typeof architecture !== "string" || !os || !architecture)
    throw new EngineError("invalid", "both OS and Architecture must be provided");
  return { os, architecture, ...(typeof variant === "string" && variant ? { variant } : {}) };
}

/** An image has one platform: where another is asked for, it is as good as not here. */
export function requirePlatform({ config }: ImageRecord, name: string, wanted: Platform | undefined): void {
  if (wanted === undefined || isSamePlatform(config, wanted)) return;
  throw new EngineError(
    "notFound",
    `image with reference ${name} was found but its platform (${formatPlatform(config)}) does not match the specified platform (${formatPlatform(wanted)})`,
  );
}
