import { isTerminal, windowSize, writeNow } from "../../stdio.ts";
import { optionError } from "../failure.ts";
import { type Display, quietDisplay } from "./display.ts";
import { PlainDisplay } from "./plain.ts";
import { RawJsonDisplay } from "./raw-json.ts";
import { TerminalDisplay } from "./terminal.ts";

/** The display that `--progress` and `--quiet` ask for; it writes to stderr. `dockerfile`: the text that is built. */
export function openDisplay(
  { progress, quiet }: { progress: string; quiet: boolean },
  dockerfile: () => string,
): Display {
  const write = (text: string): void => writeNow(2, text);
  if (quiet || progress === "quiet" || progress === "none") return quietDisplay;
  if (progress === "rawjson") return new RawJsonDisplay(write, dockerfile);
  if (progress === "plain") return new PlainDisplay(write);
  if (isTerminal(2)) return new TerminalDisplay(write, () => windowSize(2) ?? { rows: 10, columns: 80 });
  if (progress === "tty") throw optionError("failed to get console: provided file is not a console");
  return new PlainDisplay(write);
}
