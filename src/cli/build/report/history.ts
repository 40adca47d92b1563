import type { WireBuildLog, WireBuildRecord } from "../../../types/local-build.ts";
import { CliError } from "../../errors.ts";
import type { Session } from "../../session.ts";

export const readHistory = (session: Session): Promise<WireBuildRecord[]> =>
  session.client.json<WireBuildRecord[]>("GET", "/berth/build/history");

export const readLogs = (session: Session, ref: string): Promise<WireBuildLog[]> =>
  session.client.json<WireBuildLog[]>("GET", `/berth/build/history/${encodeURIComponent(ref)}/logs`);

/**
 * The build that is meant: by its id or the beginning of it, also with the builder's name in front as
 * `--metadata-file` has it; `^1` is the one before the last, and nothing the last.
 */
export function findRecord(records: readonly WireBuildRecord[], given: string | undefined): WireBuildRecord {
  if (given === undefined || /^\^\d+$/.test(given)) {
    const record = records[Number(given?.slice(1) ?? 0)];
    if (record === undefined) throw new CliError("ERROR: no records found");
    return record;
  }
  const ref = given.slice(given.lastIndexOf("/") + 1);
  const exact = records.find((record) => record.ref === ref);
  const [found, other] = records.filter((record) => ref !== "" && record.ref.startsWith(ref));
  if (exact === undefined && other !== undefined)
    throw new CliError(`ERROR: ${JSON.stringify(given)} is the beginning of several records`);
  const record = exact ?? found;
  if (record === undefined) throw new CliError(`ERROR: no record found for ref ${JSON.stringify(given)}`);
  return record;
}

/** What a build is called in lists: its first tag, else its Dockerfile and target. */
export const recordName = ({ tags, dockerfile, target }: WireBuildRecord): string =>
  tags[0] ?? (target ? `${dockerfile} (${target})` : dockerfile);

const statusNames = { running: "Running", completed: "Completed", error: "Error", canceled: "Canceled" };

export const statusName = ({ status }: WireBuildRecord): string => statusNames[status];

export const duration = ({
  startedAt,
  completedAt,
}: {
  startedAt?: number | undefined;
  completedAt?: number | undefined;
}): string =>
  startedAt === undefined ? "" : `${(((completedAt ?? Date.now()) - startedAt) / 1000).toFixed(1)}s`;
