import { descriptionOf } from "../../lib/dockerfile/decode.ts";
import { parseDockerfile } from "../../lib/dockerfile/parse.ts";
import type { BuildTarget } from "../contract.ts";
import { withPlace } from "../dockerfile/place.ts";
import { splitStages } from "../dockerfile/stages/split-stages.ts";

/** `--call targets`: the stages as the file names them; no base image is asked for. */
export function targetsOf(text: string): BuildTarget[] {
  return withPlace(() => {
    const { parts } = splitStages(parseDockerfile(text), () => undefined);
    return parts.map(({ from }, index) => ({
      name: from.name ?? "",
      description: descriptionOf(from.source, from.name ?? ""),
      default: index === parts.length - 1,
      base: from.base,
      platform: from.platform,
      line: from.source.location.start.line,
    }));
  });
}
