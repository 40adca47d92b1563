import type { KeyParts } from "./key.ts";

const reasonsMax = 20;

/** Why a step ran: what differs from the nearest earlier one, as sentences. `base` names what it works on. */
export function explain(parts: KeyParts, earlier: KeyParts | undefined, base: string): string[] {
  if (earlier === undefined) return ["no earlier build has a step like it"];
  const names = [...new Set([...Object.keys(earlier), ...Object.keys(parts)])].sort();
  const changed = names.filter((name) => parts[name] !== earlier[name]);
  // a digest that stands for what is also told one by one, and other instructions that made other files
  const telling = changed.filter(
    (name) =>
      !(name === "files" && changed.some((one) => one.startsWith("file:"))) &&
      !(name === "steps" && changed.includes("base")),
  );
  if (telling.length === 0) return ["its earlier result is no longer in the cache"];
  const sentences = telling.slice(0, reasonsMax).map((name) => {
    if (name === "base") return `${base} differs`;
    if (name === "steps") return `${base} has the same files, but was made by other instructions`;
    return sentenceOf(name, parts[name], earlier[name]);
  });
  const rest = telling.length - sentences.length;
  return rest > 0 ? [...sentences, `and ${rest} more`] : sentences;
}

function sentenceOf(name: string, now: string | undefined, before: string | undefined): string {
  const [kind = "", ...tail] = name.split(/[.:](.*)/s);
  const what = tail[0] ?? "";
  const change = now === undefined ? "is gone" : before === undefined ? "is new" : "differs";
  switch (kind) {
    case "file":
      return `the file ${what} ${change}`;
    case "env":
      return `the variable ${what} (ARG or ENV) ${change}`;
    case "mount":
      return `the mount at ${what} ${change}`;
    case "command":
      return "the command differs";
    case "files":
      return "the files it copies differ";
    default:
      return `the ${name} ${change}`;
  }
}
