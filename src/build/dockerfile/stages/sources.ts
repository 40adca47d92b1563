import type { Instruction } from "../../../lib/dockerfile/instruction.ts";
import { mountFields } from "../../../lib/dockerfile/run-mount.ts";
import { EngineError, isKind, messageOf } from "../../../lib/errors.ts";
import { canonical, familiar, parseReference, withDefaultTag } from "../../../lib/image/reference.ts";
import type { LanguageSettings } from "./settings.ts";

/** What COPY and mounts read from. */
export type SourceRef =
  /** the build's own context */
  | { kind: "context" }
  | { kind: "scratch" }
  | { kind: "stage"; index: number }
  /** canonical; `written` is what the file says */
  | { kind: "image"; reference: string; written: string }
  /** of `--build-context` */
  | { kind: "named"; name: string };

/** The `--build-context` that stands in for a name, as it was given; `scratch` and `context` have none. */
export function namedContext(name: string, { namedContexts }: LanguageSettings): string | undefined {
  const lower = name.toLowerCase();
  if (lower === "scratch" || lower === "context" || namedContexts.length === 0) return undefined;
  const wanted = contextKey(name);
  return namedContexts.find((each) => contextKey(each) === wanted);
}

/** `docker.io/library/alpine:latest`, `alpine:latest` and `alpine` are one name. */
function contextKey(name: string): string {
  try {
    return familiar(parseReference(name)).replace(/:latest$/, "");
  } catch (error) {
    if (isKind(error, "invalid")) return name;
    throw error;
  }
}

/** A name that is no stage's. Throws `failed to parse stage name "…": reason` of kind `invalid`. */
export function imageOrContext(
  name: string,
  settings: LanguageSettings,
): { kind: "image"; reference: string; written: string } | { kind: "context"; name: string } {
  // the classic builder takes an image's id, or the beginning of one, for a name
  if (settings.classic && isImageId(name)) return { kind: "image", reference: name, written: name };
  let reference: string;
  try {
    reference = canonical(withDefaultTag(parseReference(name)));
  } catch (error) {
    throw new EngineError(
      "invalid",
      `failed to parse stage name ${JSON.stringify(name)}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const context = namedContext(name, settings);
  return context === undefined
    ? { kind: "image", reference, written: name }
    : { kind: "context", name: context };
}

export const isImageId = (name: string): boolean => /^(sha256:[0-9a-f]{64}|[0-9a-f]{6,64})$/.test(name);

/** What `--from` of an instruction names, as written: "" where it names nothing. */
export function sourceNames(instruction: Instruction): string[] {
  if (instruction.kind === "copy") return instruction.from === "" ? [] : [instruction.from];
  if (instruction.kind !== "run") return [];
  return instruction.mounts.map(mountFrom);
}

const mountFrom = (mount: string): string =>
  mountFields(mount).findLast(({ key }) => key === "from")?.value ?? "";

/** Whether an instruction reads from something that is no stage of the file: then its stage is not alone. */
export const hasOtherSources = (
  instructions: readonly Instruction[],
  byName: ReadonlyMap<string, number>,
): boolean =>
  instructions.some((instruction) =>
    sourceNames(instruction).some((name) => !byName.has(name.toLowerCase()) && !/^\d+$/.test(name)),
  );
