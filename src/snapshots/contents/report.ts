import { toText } from "../../system/files/at.ts";
import type { LayerLine, LayerNameLine } from "../../types/image-report.ts";
import { detailsOf, sameDetails } from "./details.ts";
import { bytesOf, type Node, StackTree } from "./stack-tree.ts";

/** Lines of JSON: what each layer does to those below it, and with `files` each name it does it to. */
export function* reportLines(folders: readonly string[], files: boolean): Generator<Uint8Array> {
  const tree = new StackTree();
  for (const [index, folder] of folders.entries()) {
    const line: LayerLine = { layer: index, added: 0, changed: 0, hidden: 0, addedBytes: 0, wastedBytes: 0 };
    const names: Uint8Array[] = [];
    const tell = (kind: "added" | "changed" | "hidden", path: string, node: Node, wasted: number): void => {
      line[kind]++;
      line.wastedBytes += wasted;
      if (kind !== "hidden") line.addedBytes += node.entry?.size ?? 0;
      const name: LayerNameLine = {
        layer: index,
        kind,
        path: `/${toText(path)}`,
        wasted,
        ...detailsOf(node),
      };
      if (files) names.push(encode(name));
    };
    tree.add(folder, index, {
      added: (path, node) => tell("added", path, node, 0),
      changed: (path, node, before) => {
        // layers repeat the directories their files lie in
        if (node.children && before.children && sameDetails(node, before)) return;
        tell("changed", path, node, before.children && node.children ? 0 : bytesOf(before));
      },
      hidden: (path, before) => tell("hidden", path, before, bytesOf(before)),
    });
    yield encode(line);
    yield* names;
  }
}

export const encode = (line: object): Uint8Array => Buffer.from(`${JSON.stringify(line)}\n`);
