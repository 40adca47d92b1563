import type { Session } from "../../session.ts";

/** A record of the build cache as `GET /system/df` tells it. */
export interface CacheRow {
  ID: string;
  Parents?: string[] | null;
  Type: string;
  Description: string;
  InUse: boolean;
  Shared: boolean;
  Size: number;
  CreatedAt: string;
  LastUsedAt: string | null;
  UsageCount: number;
}

export async function cacheRecords(session: Session): Promise<CacheRow[]> {
  const { BuildCache } = await session.client.json<{ BuildCache: CacheRow[] | null }>("GET", "/system/df", {
    query: { type: "build-cache" },
  });
  return BuildCache ?? [];
}
