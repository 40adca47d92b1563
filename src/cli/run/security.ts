import { scan, wholeText } from "../../lib/go/json/syntax.ts";
import type { HostConfig } from "../../types/api.ts";
import type { Surroundings } from "../surroundings.ts";
import { fileError, missingFile } from "./key-value-files.ts";
import { kept, mapped, orNull, sorted } from "./lists.ts";

/** Spelled in one way and sorted; what is both added and dropped is for the engine to weigh. */
export function capabilities(
  add: readonly string[],
  drop: readonly string[],
): Pick<HostConfig, "CapAdd" | "CapDrop"> {
  const spell = (name: string): string => {
    const upper = name.trim().toUpperCase();
    return upper === "ALL" || upper === "RESET" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  };
  const spelled = (names: readonly string[]): string[] => sorted(new Set(mapped(names, spell)));
  return { CapAdd: orNull(spelled(add)), CapDrop: orNull(spelled(drop)) };
}

/** A seccomp profile is a file of the client's: its text is sent in place of its name. */
export function securityOptions(
  given: readonly string[],
  around: Surroundings,
): { options: string[]; unconfinedPaths: boolean } {
  const options = mapped(given, (option) => {
    const separator = option.includes("=") ? "=" : ":";
    const at = option.indexOf(separator);
    if (at < 0) {
      if (option !== "no-new-privileges")
        throw new Error(`Invalid --security-opt: ${JSON.stringify(option)}`);
      return option;
    }
    const [key, value] = [option.slice(0, at), option.slice(at + 1)];
    if (separator === "=" && value === "")
      throw new Error(`Invalid --security-opt: ${JSON.stringify(option)}`);
    if (key !== "seccomp" || value === "unconfined" || value === "builtin") return option;
    return `seccomp=${seccompProfile(value, around)}`;
  });
  const shown = kept(options, (option) => option !== "systempaths=unconfined");
  return { options: shown, unconfinedPaths: shown.length < options.length };
}

function seccompProfile(path: string, around: Surroundings): string {
  let text: string | undefined;
  try {
    text = around.readText(path);
  } catch (error) {
    throw new Error(`opening seccomp profile (${path}) failed: ${fileError("open", path, error).message}`);
  }
  if (text === undefined)
    throw new Error(`opening seccomp profile (${path}) failed: ${missingFile(path).message}`);
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    const found = scan(text);
    const why = "error" in found ? wholeText(found.error) : (error as Error).message;
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${why}`);
  }
}
