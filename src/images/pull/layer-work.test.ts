import { expect, test } from "bun:test";
import type { Listener } from "../transfer/shared.ts";
import { type Brought, type LayerNews, type LayerWish, LayerWork } from "./layer-work.ts";

const endless = { everyMs: 3600_000, bytesMin: 1, totalMs: 3600_000 };
const short = { everyMs: 10, bytesMin: 1000, totalMs: 3600_000 };

const descriptor = (digest: string) => ({ digest, size: 1e9, mediaType: "" });
const brought = (digest: string): Brought => ({ blob: descriptor(digest) });

/** A registry's way of bringing the layer, at the test's word. */
class Source {
  brings = 0;
  aborted = false;
  tell: Listener<LayerNews> = () => undefined;
  done: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;
  /** resolves once somebody asked for it */
  readonly asked: Promise<void>;
  private readonly told: () => void;
  readonly registry: string;
  readonly blob: string;

  constructor(registry: string, blob = "blob") {
    this.registry = registry;
    this.blob = blob;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.told = resolve;
  }

  wish(access = "one"): LayerWish {
    const { registry, blob } = this;
    return {
      diffId: "diff",
      blob: descriptor(blob),
      registry,
      access,
      bring: (signal, tell) => this.bring(signal, tell),
    };
  }

  private bring(signal: AbortSignal, tell: Listener<LayerNews>): Promise<Brought> {
    this.brings++;
    this.tell = tell;
    const { promise, resolve, reject } = Promise.withResolvers<Brought>();
    this.done = () => resolve(brought(this.blob));
    this.fail = reject;
    signal.addEventListener("abort", () => {
      this.aborted = true;
      reject(signal.reason);
    });
    this.told();
    return promise;
  }
}

const watcher = (signal = new AbortController().signal) => ({ listener: () => undefined, signal });
const progress = (current: number): LayerNews => ({ kind: "progress", status: "Downloading", current });

test("pulls of one blob from one registry are one download, by whatever repository", async () => {
  const work = new LayerWork(short);
  const source = new Source("a");
  const all = ["one", "one", "two"].map((access) => work.join(source.wish(access), watcher()));
  await source.asked;
  await Bun.sleep(50); // nobody loses patience with its own registry
  source.done();
  expect(await Promise.all(all)).toEqual([brought("blob"), brought("blob"), brought("blob")]);
  expect(source.brings).toBe(1);
});

test("another registry that brings it swiftly is waited for", async () => {
  const work = new LayerWork(endless);
  const [a, b] = [new Source("a"), new Source("b", "other")];
  const first = work.join(a.wish(), watcher());
  const second = work.join(b.wish(), watcher());
  await a.asked;
  a.done();
  expect(await Promise.all([first, second])).toEqual([brought("blob"), brought("blob")]);
  expect(b.brings).toBe(0);
});

test("a registry that stands still, or trickles, holds up no pull from another, whose layer then serves both", async () => {
  for (const bytes of [0, 10]) {
    const work = new LayerWork(short);
    const [a, b] = [new Source("a"), new Source("b")];
    const first = work.join(a.wish(), watcher());
    await a.asked;
    let came = 0;
    const trickle = setInterval(() => {
      came += bytes;
      a.tell(progress(came));
    }, 1);
    const second = work.join(b.wish(), watcher());
    await b.asked;
    clearInterval(trickle);
    b.done();
    expect(await Promise.all([first, second])).toEqual([brought("blob"), brought("blob")]);
    expect(a.aborted).toBe(true);
  }
});

test("nobody waits for another registry for ever, however swift it is", async () => {
  const work = new LayerWork({ everyMs: 10, bytesMin: 1, totalMs: 50 });
  const [a, b] = [new Source("a"), new Source("b")];
  const first = work.join(a.wish(), watcher());
  await a.asked;
  const second = work.join(b.wish(), watcher());
  let came = 0;
  const stream = setInterval(() => {
    came += 1e5;
    a.tell(progress(came));
  }, 1);
  await b.asked;
  clearInterval(stream);
  a.done();
  await Promise.all([first, second]);
  expect(b.aborted).toBe(true);
});

test("what fails for one is tried by the next itself: another registry, or other rights to the same", async () => {
  for (const [registry, access] of [
    ["b", "one"],
    ["a", "two"],
  ] as const) {
    const work = new LayerWork(endless);
    const [a, b] = [new Source("a"), new Source(registry)];
    const first = work.join(a.wish(), watcher()).catch((error: Error) => error.message);
    await a.asked;
    const second = work.join(b.wish(access), watcher());
    a.fail(new Error("wrong content"));
    expect(await first).toBe("wrong content");
    await b.asked;
    b.done();
    expect(await second).toEqual(brought("blob"));
  }
});

test("the same wish twice fails for both, tried once", async () => {
  const work = new LayerWork(endless);
  const source = new Source("a");
  const all = [1, 2].map(() => work.join(source.wish(), watcher()).catch((error: Error) => error.message));
  await source.asked;
  source.fail(new Error("gone"));
  expect(await Promise.all(all)).toEqual(["gone", "gone"]);
  expect(source.brings).toBe(1);
});

test("who gives up does not stop the others, and with the last it ends", async () => {
  const work = new LayerWork(endless);
  const source = new Source("a");
  const leaving = [new AbortController(), new AbortController()] as const;
  const first = work
    .join(source.wish("one"), watcher(leaving[0].signal))
    .catch((error: Error) => error.message);
  await source.asked;
  const second = work
    .join(source.wish("two"), watcher(leaving[1].signal))
    .catch((error: Error) => error.message);
  leaving[0].abort(new Error("gone"));
  expect(await first).toBe("gone");
  expect(source.aborted).toBe(false);
  leaving[1].abort(new Error("gone, too"));
  expect(await second).toBe("gone, too");
  expect([source.aborted, source.brings]).toEqual([true, 1]);
});
