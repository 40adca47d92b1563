import type { BuildCacheRecord } from "../../../types/api.ts";
import type { Session } from "../../session.ts";

export async function cacheRecords(session: Session): Promise<BuildCacheRecord[]> {
  const { BuildCache } = await session.client.json<{ BuildCache: BuildCacheRecord[] | null }>(
    "GET",
    "/system/df",
    {
      query: { type: "build-cache" },
    },
  );
  return BuildCache ?? [];
}
