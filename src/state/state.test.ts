import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { State } from "./database.ts";
import { EventBus } from "./events.ts";
import { Leases } from "./leases.ts";
import { migrations } from "./migrations.ts";

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "berth-state-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a committed transaction is there after opening again, a thrown one is not", () => {
  inFolder((folder) => {
    const state = State.open(folder);
    const insert = (key: string) => state.db.query("INSERT INTO facts VALUES (?, 'x')").run(key);
    state.transaction(() => insert("kept"));
    expect(() =>
      state.transaction(() => {
        insert("lost");
        throw new Error("no");
      }),
    ).toThrow("no");
    state.close();
    const again = State.open(folder);
    expect(again.db.query("SELECT key FROM facts").all()).toEqual([{ key: "kept" }]);
    again.close();
  });
});

test("every commit is synced: WAL with synchronous=FULL", () => {
  inFolder((folder) => {
    const state = State.open(folder);
    expect(state.db.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(state.db.query("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
    state.close();
  });
});

test("a state of a newer version is refused, not guessed at", () => {
  inFolder((folder) => {
    const db = new Database(join(folder, "state.db"), { create: true });
    db.run("PRAGMA user_version = 9999");
    db.close();
    expect(() => State.open(folder)).toThrow(/schema 9999, newer/);
  });
});

test("blobs noted as layers by hearsay are forgotten, those of manifests and our own are kept", () => {
  inFolder((folder) => {
    const older = migrations.findIndex((text) => text.includes("known_blobs"));
    const db = new Database(join(folder, "state.db"), { create: true });
    for (const migration of migrations.slice(0, older)) db.run(migration);
    db.run(`PRAGMA user_version = ${older}`);
    db.run(
      "INSERT INTO layers (diff_id, folder, size, created_at) VALUES ('one', 'f1', 1, 0), ('two', 'f2', 1, 0)",
    );
    const addImage = db.query("INSERT INTO images (id, config, size, created_at) VALUES (?, ?, 1, 0)");
    addImage.run("image", JSON.stringify({ rootfs: { diff_ids: ["one", "two"] } }));
    addImage.run("odd", "[".repeat(2000));
    const addManifest = db.query("INSERT INTO image_manifests VALUES (?, ?, 'type', ?)");
    const layers = [{ digest: "a", mediaType: "zstd" }, { digest: "b" }];
    addManifest.run("image", "m1", JSON.stringify({ layers }));
    addManifest.run("image", "m2", "{");
    addManifest.run("image", "m3", JSON.stringify({ layers: ["text", {}, 3] }));
    addManifest.run("odd", "m4", JSON.stringify({ layers }));
    const addBlob = db.query("INSERT INTO layer_blobs VALUES (?, ?, 1, 'gzip', ?)");
    for (const [layer, blob, madeAs] of [
      ["one", "a", ""],
      ["one", "b", ""],
      ["two", "b", ""],
      ["two", "c", ""],
      ["two", "d", "gzip:2"],
    ] as const)
      addBlob.run(layer, blob, madeAs);
    db.run("INSERT INTO layer_blob_sources VALUES ('one', 'b', 'r'), ('two', 'b', 'r')");
    db.close();
    const state = State.open(folder);
    expect(
      state.db.query("SELECT diff_id, digest, media_type FROM layer_blobs ORDER BY 1, 2").values(),
    ).toEqual([
      ["one", "a", "zstd"],
      ["two", "b", "gzip"],
      ["two", "d", "gzip"],
    ]);
    expect(state.db.query("SELECT diff_id, digest FROM layer_blob_sources").values()).toEqual([["two", "b"]]);
    state.close();
  });
});

test("a folder that cannot hold the state is told with its path", () => {
  inFolder((folder) => {
    writeFileSync(join(folder, "file"), "");
    expect(() => State.open(join(folder, "file"))).toThrow(join(folder, "file", "state.db"));
  });
});

test("a lease holds until it ends", () => {
  const leases = new Leases(State.inMemory());
  const lease = leases.open();
  lease.hold("layer", "sha256:a");
  lease.hold("layer", "sha256:a");
  expect([...leases.held("layer")]).toEqual(["sha256:a"]);
  expect([...leases.held("blob")]).toEqual([]);
  lease.end();
  expect([...leases.held("layer")]).toEqual([]);
});

test("a lease past its time holds nothing", () => {
  const leases = new Leases(State.inMemory());
  leases.open(-1).hold("image", "x");
  expect([...leases.held("image")]).toEqual([]);
});

test("listeners hear events in order, with Docker's legacy fields, until they leave", () => {
  const bus = new EventBus();
  const heard: string[] = [];
  const leave = bus.subscribe((event) => heard.push(`${event.Action} ${event.from} ${event.status}`));
  const event = { type: "container", id: "c", attributes: { image: "busybox" } } as const;
  bus.publish({ ...event, action: "create" });
  bus.publish({ ...event, action: "start" });
  leave();
  bus.publish({ ...event, action: "die" });
  expect(heard).toEqual(["create busybox create", "start busybox start"]);
});

test("past events are kept, the oldest forgotten first", () => {
  const bus = new EventBus();
  for (let index = 0; index < 1100; index++)
    bus.publish({ type: "volume", action: String(index), id: "v", attributes: {} });
  const past = bus.since(0n);
  expect([past.length, past[0]?.Action, past.at(-1)?.Action]).toEqual([1024, "76", "1099"]);
  expect(bus.since(past[1000]?.timeNano ?? 0n, past[1001]?.timeNano).length).toBeGreaterThanOrEqual(2);
});
