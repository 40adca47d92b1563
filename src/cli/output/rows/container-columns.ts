import { shortId } from "../../../lib/ids.ts";
import { humanDuration } from "../../../lib/text/units.ts";
import type { ContainerSummary } from "../../../types/api.ts";
import type { Columns } from "../row-kind.ts";
import { ellipsis } from "../text.ts";
import { displayPorts } from "./ports.ts";

const idLength = 12;
const commandMax = 20;

type C = ContainerSummary;

/** The fields of the default table as whole columns (`RowKind.columns`): functions are called for the odd cell alone. */
export const containerColumns = (noTrunc: boolean): Columns<C> => ({
  ID(list) {
    const cells: string[] = [];
    for (const { Id } of list) cells.push(noTrunc ? Id : Id.slice(0, idLength));
    return cells;
  },
  Image(list) {
    const cells: string[] = [];
    for (const { Image, ImageID } of list) {
      const mayBeId = ImageID.startsWith(Image.slice(0, idLength), "sha256:".length);
      const plain = !mayBeId && !Image.includes("@") && !Image.startsWith("sha256:");
      cells.push(plain ? Image : imageText(Image, ImageID, noTrunc));
    }
    return cells;
  },
  Command(list) {
    const cells: string[] = [];
    for (const { Command } of list)
      cells.push(
        JSON.stringify(noTrunc || Command.length <= commandMax ? Command : ellipsis(Command, commandMax)),
      );
    return cells;
  },
  RunningFor(list) {
    const cells: string[] = [];
    const now = Date.now() / 1000;
    let [created, text] = [Number.NaN, ""];
    for (const { Created } of list) {
      if (Created !== created) [created, text] = [Created, `${humanDuration(now - Created)} ago`];
      cells.push(text);
    }
    return cells;
  },
  Status(list) {
    const cells: string[] = [];
    for (const { Status } of list) cells.push(Status);
    return cells;
  },
  Ports(list) {
    const cells: string[] = [];
    for (const { Ports } of list) cells.push(Ports && Ports.length > 0 ? displayPorts(Ports) : "");
    return cells;
  },
  Names(list) {
    const cells: string[] = [];
    for (const { Names } of list)
      cells.push(Names.length === 1 ? (Names[0] ?? "").slice(1) : nameText(Names, noTrunc));
    return cells;
  },
});

function nameText(names: readonly string[], noTrunc: boolean): string {
  const own = names.map((name) => name.replace(/^\//, ""));
  return (noTrunc ? own : own.filter((name) => !name.includes("/"))).join(",");
}

/** An image that has lost its name is told by its short id; a digest beside a tag is left out. */
function imageText(image: string, id: string, noTrunc: boolean): string {
  if (image === "") return "<no image>";
  if (noTrunc) return image;
  if (shortId(id) === shortId(image)) return shortId(id);
  return image.replace(/@sha256:[0-9a-f]{64}$/, "");
}
