import type { ImageDeleteItem } from "../../../types/api.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";
import { confirm } from "../../prompt.ts";
import { deletedImages, deletedList, pruneFlags, pruneQuery, reclaimed } from "../../prune.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    ...pruneFlags,
    all: bool("all,a", "Remove all unused images, not only those without a name"),
    volumes: bool("volumes", "Remove anonymous volumes too"),
  },
  async run({ session, flags }) {
    if (flags.volumes && flags.filter.some(({ key }) => key === "until"))
      throw new CliError('ERROR: The "until" filter is not supported with "--volumes"');
    if (!flags.force && !(await confirm(session, warning(flags)))) return 0;
    const post = <T>(kind: string, query: object): Promise<T & { SpaceReclaimed?: number }> =>
      session.client.json("POST", `/${kind}/prune`, { query: query as Record<string, string | undefined> });
    const query = pruneQuery(session, flags.filter);
    let space = 0;
    const containers = await post<{ ContainersDeleted: string[] | null }>("containers", query);
    session.write(deletedList("Deleted Containers", containers.ContainersDeleted));
    space += containers.SpaceReclaimed ?? 0;
    const networks = await post<{ NetworksDeleted: string[] | null }>("networks", query);
    session.write(deletedList("Deleted Networks", networks.NetworksDeleted));
    if (flags.volumes) {
      const volumes = await post<{ VolumesDeleted: string[] | null }>("volumes", query);
      session.write(deletedList("Deleted Volumes", volumes.VolumesDeleted));
      space += volumes.SpaceReclaimed ?? 0;
    }
    const imageQuery = pruneQuery(session, flags.filter, [{ key: "dangling", value: String(!flags.all) }]);
    const images = await post<{ ImagesDeleted: ImageDeleteItem[] | null }>("images", imageQuery);
    session.write(deletedImages(images.ImagesDeleted));
    space += images.SpaceReclaimed ?? 0;
    if (!flags.filter.some(({ key }) => key.startsWith("label"))) {
      const cache = await post<{ CachesDeleted: string[] | null }>("build", {
        ...query,
        all: flags.all || undefined,
      });
      session.write(deletedList("Deleted build cache objects", cache.CachesDeleted));
      space += cache.SpaceReclaimed ?? 0;
    }
    session.out(reclaimed(space));
    return 0;
  },
});

function warning({
  all,
  volumes,
  filter,
}: {
  all: boolean;
  volumes: boolean;
  filter: readonly { key: string; value: string }[];
}): string {
  const lines = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
    all ? "all build cache" : "unused build cache",
  ];
  const items =
    filter.length > 0
      ? `\n\n  Items to be pruned will be filtered with:\n${filter.map(({ key, value }) => `  - ${key}=${value}`).join("\n")}`
      : "";
  return `WARNING! This will remove:\n${lines.map((line) => `  - ${line}`).join("\n")}${items}\n\nAre you sure you want to continue?`;
}
