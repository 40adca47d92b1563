import type { Nftables } from "../../system/nftables/nftables.ts";
import { type RuleModel, ruleset } from "../host/rules.ts";

/**
 * Where the engine's table in the kernel is not what is recorded: names of sets and chains, "the table" where it is
 * gone. nft lists a table in the words it was made with, but for order, spaces and names of priorities.
 */
export function differences(nftables: Pick<Nftables, "list">, model: RuleModel): string[] {
  const made = ruleset(model);
  const wanted = blocksOf(made.slice(made.lastIndexOf(`table inet ${model.table} {`)));
  let listed: string;
  try {
    listed = nftables.list(`list table inet ${model.table}`);
  } catch {
    // nft's words for a table that is not there say no more than that
    return ["the table"];
  }
  const found = blocksOf(listed);
  const names = new Set([...wanted.keys(), ...found.keys()]);
  return [...names].filter((name) => wanted.get(name) !== found.get(name));
}

/** What a table holds, by "set x" or "chain y", each in one spelling; what stands beside them by "the table". */
function blocksOf(text: string): Map<string, string> {
  const body = text.slice(text.indexOf("{") + 1, text.lastIndexOf("}")).replaceAll(/^\s*#.*$/gm, "");
  const blocks = new Map<string, string>();
  let beside = "";
  let from = 0;
  for (const start of body.matchAll(/(\w+ [\w-]+) \{/g)) {
    if (start.index < from) continue;
    const end = endOf(body, start.index + start[0].length);
    beside += body.slice(from, start.index);
    blocks.set(start[1] ?? "", spelled(body.slice(start.index + start[0].length, end)));
    from = end + 1;
  }
  return blocks.set("the table", spelled(beside + body.slice(from)));
}

/** The place of the brace that closes what was opened before `from`. */
function endOf(text: string, from: number): number {
  const brace = /[{}]/g;
  brace.lastIndex = from;
  for (let depth = 1; ; ) {
    const found = brace.exec(text);
    if (!found) return text.length;
    depth += found[0] === "{" ? 1 : -1;
    if (depth === 0) return found.index;
  }
}

function spelled(block: string): string {
  const [, before = block, elements, after = ""] = /^([^{]*)elements = \{([^}]*)\}(.*)$/s.exec(block) ?? [];
  const plain = (text: string): string =>
    text
      .replaceAll(/[\s;]+/g, " ")
      .replaceAll(/\b0x0+(?=\w)/g, "0x")
      .trim();
  const list = elements === undefined ? "" : elements.split(",").map(plain).sort().join(", ");
  return `${plain(`${before} ${after}`).replace(/priority [^;]*? policy/, "policy")} ${list}`;
}
