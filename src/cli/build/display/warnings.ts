import type { WireWarning } from "../../../types/local-build.ts";
import { programName } from "../../program.ts";
import { excerpt } from "../report/excerpt.ts";
import { warningText } from "./plain.ts";

/** After a build: what the rules found, in short, or at length with `--debug`. */
export function warningsText(
  warnings: readonly WireWarning[],
  dockerfile: string,
  atLength: boolean,
): string {
  if (warnings.length === 0) return "";
  const count = warnings.length === 1 ? "1 warning found" : `${warnings.length} warnings found`;
  const hint = atLength ? "" : ` (use ${programName} --debug to expand)`;
  const head = `\n \x1b[33m${count}${hint}:\n\x1b[0m`;
  if (!atLength) return `${head}${warnings.map((warning) => ` - ${warningText(warning)}\n`).join("")}`;
  const long = warnings.map((warning) => {
    const [lines] = warning.lines;
    const place = lines ? excerpt(warning.dockerfile, dockerfile, lines) : "";
    const detail = warning.detail.map((line) => `${line}\n`).join("");
    return ` - ${warningText(warning)}\n${detail}${warning.url ? `More info: ${warning.url}\n` : ""}${place}\n`;
  });
  return `${head}${long.join("")}`;
}
