import type { Surroundings } from "../surroundings.ts";

interface VolumeSpec {
  source: string;
  target: string;
}

/** `-v`: tells a bind or named volume (it has a source) from an anonymous volume; the engine reads the rest. */
export function parseVolumeSpec(spec: string): VolumeSpec {
  if (spec === "") throw new Error("invalid empty volume spec");
  if (spec.length <= 2) return { source: "", target: spec };
  const sections: string[] = [];
  let section = "";
  for (const character of spec) {
    // A single letter before a colon reads as a Windows drive, as docker's client has it.
    if (character !== ":" || /^\p{L}$/u.test(section)) {
      section += character;
      continue;
    }
    if (section === "") throw new Error(`invalid spec: ${spec}: empty section between colons`);
    sections.push(section);
    section = "";
    if (sections.length > 2) throw new Error(`invalid spec: ${spec}: too many colons`);
  }
  if (section === "") throw new Error(`invalid spec: ${spec}: empty section between colons`);
  sections.push(section);
  const [first = "", second] = sections;
  return second === undefined ? { source: "", target: first } : { source: first, target: second };
}

/** A path of the client's folder; `node:path` is loaded only for those who name one. */
export const absolute = (path: string, around: Surroundings): string =>
  (require("node:path") as typeof import("node:path")).resolve(around.folder(), path);

/** The bind as the engine gets it: a path that starts with a dot is taken from the client's folder. */
export function absoluteBind(spec: string, around: Surroundings): string {
  const at = spec.indexOf(":");
  const source = spec.slice(0, at);
  return source.startsWith(".") ? absolute(source, around) + spec.slice(at) : spec;
}
