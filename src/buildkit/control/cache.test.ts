import { expect, test } from "bun:test";
import type { Builds, CachePruneOptions, CacheRecord } from "../../build/contract.ts";
import { prune, usage } from "./cache.ts";

const record = (id: string, type: CacheRecord["type"]): CacheRecord => ({
  ...{ id, type, parents: [], description: "", inUse: false, shared: false },
  ...{ size: 1, createdAt: 0, usageCount: 1, lastUsedAt: undefined },
});

const records = [record("one", "regular"), record("two", "exec.cachemount")];

const idsOf = (...filters: string[]): (string | undefined)[] =>
  usage({ cacheUsage: () => records } as unknown as Builds, filters).map(({ id }) => id);

async function pruned(...filter: string[]): Promise<CachePruneOptions["filters"] | undefined> {
  let asked: CachePruneOptions["filters"] | undefined;
  const builds = {
    cacheUsage: () => records,
    pruneCache: async ({ filters }: CachePruneOptions) => {
      asked = filters;
      return { deleted: [], bytes: 0 };
    },
  } as unknown as Builds;
  const request = { all: true, keepDuration: 0, maxUsedSpace: 0, reservedSpace: 0, filter };
  for await (const _record of prune(builds, request as never));
  return asked;
}

test("filters look at the fields of a record", () => {
  expect(idsOf()).toEqual(["one", "two"]);
  expect(idsOf("type==exec.cachemount")).toEqual(["two"]);
  expect(idsOf("type!=exec.cachemount")).toEqual(["one"]);
  expect(idsOf("mutable")).toEqual(["two"]);
  expect(idsOf("id~=tw")).toEqual(["two"]);
});

test("a field that there is not fits nothing: a mistyped name deletes nothing", async () => {
  expect(idsOf("typo==regular")).toEqual([]);
  expect(await pruned("typo==regular")).toEqual(new Map([["id", []]]));
  expect(await pruned("type==regular")).toEqual(new Map([["id", ["one"]]]));
  expect(await pruned()).toEqual(new Map());
});
