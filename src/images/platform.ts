import { EngineError, messageOf } from "../lib/errors.ts";
import { scan, wholeText } from "../lib/go/json/syntax.ts";
import { formatPlatform, isRunnableAs, parsePlatform } from "../lib/image/platform.ts";
import type { Platform } from "../types/oci.ts";
import type { ImageRecord } from "./store.ts";

/** `{"os":"linux","architecture":"arm64"}`, as the API has it, or `linux/arm64`; undefined where none is asked for. */
export function platformOf(text: string | undefined): Platform | undefined {
  if (text === undefined || text === "") return undefined;
  const { os, architecture, variant } = spelledOut(text) ?? inJson(text);
  if (typeof os !== "string" || typeof architecture !== "string" || !os || !architecture)
    throw new EngineError("invalid", "both OS and Architecture must be provided");
  return { os, architecture, ...(typeof variant === "string" && variant ? { variant } : {}) };
}

function spelledOut(text: string): Platform | undefined {
  if (text.startsWith("{")) return undefined;
  try {
    return parsePlatform(text);
  } catch {
    return undefined; // then it was meant as JSON, which is all that Docker takes
  }
}

function inJson(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch (cause) {
    const found = scan(text);
    const why = "error" in found ? wholeText(found.error) : messageOf(cause);
    throw new EngineError("invalid", `failed to parse platform: ${why}`, { cause });
  }
}

/** An image has one platform: where another is asked for, it is as good as not here. */
export function requirePlatform({ config }: ImageRecord, name: string, wanted: Platform | undefined): void {
  if (wanted === undefined || isRunnableAs(config, wanted)) return;
  throw new EngineError(
    "notFound",
    `image with reference ${name} was found but its platform (${formatPlatform(config)}) does not match the specified platform (${formatPlatform(wanted)})`,
  );
}
