import type { Descriptor } from "../../types/oci.ts";
import { type Listener, SharedWork } from "../transfer/shared.ts";

/** What of a layer is told while it comes. */
export type LayerNews =
  | { kind: "status"; status: "Waiting" | "Verifying Checksum" | "Download complete" }
  | { kind: "retrying"; seconds: number }
  | { kind: "progress"; status: "Downloading" | "Extracting"; current: number };

/** One pull's wish for a layer. */
export interface LayerWish {
  diffId: string;
  blob: Descriptor;
  /** the registry it would come from */
  registry: string;
  /** what says whether it may be had there: repository and credentials */
  access: string;
  bring(signal: AbortSignal, tell: Listener<LayerNews>): Promise<Brought>;
}

/**
 * A layer that is here now, and the blob that it was unpacked from, of the type that its content shows; undefined where the
 * layer was here before.
 */
export interface Brought {
  blob: Descriptor | undefined;
}

interface Watcher {
  listener: Listener<LayerNews>;
  signal: AbortSignal;
}

/** When another registry is too slow to be waited for. */
interface Patience {
  /** it brings at least `bytesMin` every `everyMs`, and all of it in `totalMs` */
  everyMs: number;
  bytesMin: number;
  totalMs: number;
}

const patienceDefault: Patience = { everyMs: 2000, bytesMin: 1024 * 1024, totalMs: 15_000 };

/** One source's way of bringing a layer. */
interface Attempt {
  wish: LayerWish;
  /** bytes that came so far */
  current: number;
}

/** All who bring or want one layer now. */
class Gathering {
  /** by `keyOf` */
  readonly attempts = new Map<string, Attempt>();
  wishes = 0;
  readonly arrived: Promise<Brought>;
  arrive: (brought: Brought) => void = () => undefined;

  constructor() {
    this.arrived = new Promise((resolve) => {
      this.arrive = resolve;
    });
  }
}

/**
 * Layers that are being brought, each once for all who want it: but nobody depends on another's registry. Pulls of one
 * blob from one registry wait for each other; where the first fails (it may have had no access) the next tries by
 * itself. Another registry is waited for only while it brings the layer swiftly: after that both do, and the first that
 * has the layer has it for all, which its diff id vouches for.
 */
export class LayerWork {
  private readonly shared = new SharedWork<LayerNews, Brought>();
  /** by diff id */
  private readonly gatherings = new Map<string, Gathering>();
  private readonly patience: Patience;

  constructor(patience: Patience = patienceDefault) {
    this.patience = patience;
  }

  async join(wish: LayerWish, { listener, signal }: Watcher): Promise<Brought> {
    const gathering = this.gatherings.get(wish.diffId) ?? new Gathering();
    this.gatherings.set(wish.diffId, gathering);
    gathering.wishes++;
    const over = new AbortController();
    const watcher = { listener, signal: AbortSignal.any([signal, over.signal]) };
    const work = this.withOthers(gathering, wish, watcher);
    try {
      return await Promise.race([work, gathering.arrived]);
    } finally {
      over.abort(new Error("the layer is here"));
      work.catch(() => undefined); // it was told, or another brought the layer
      if (--gathering.wishes === 0) this.gatherings.delete(wish.diffId);
    }
  }

  private async withOthers(gathering: Gathering, wish: LayerWish, watcher: Watcher): Promise<Brought> {
    const { attempts } = gathering;
    const tried = new Set<Attempt>();
    while (!attempts.has(keyOf(wish))) {
      const others = [...attempts.values()].filter((each) => !tried.has(each));
      const other = others.find((each) => isSameSource(each.wish, wish)) ?? others[0];
      if (other === undefined) break;
      tried.add(other);
      const brought = await this.along(other, wish, watcher);
      if (brought !== undefined) return brought;
    }
    return this.attempt(gathering, wish, watcher);
  }

  /** From its own registry, together with all who have the same to ask of it. */
  private attempt(gathering: Gathering, wish: LayerWish, watcher: Watcher): Promise<Brought> {
    const { attempts } = gathering;
    const key = keyOf(wish);
    const attempt = attempts.get(key) ?? { wish, current: 0 };
    attempts.set(key, attempt);
    const work = async (signal: AbortSignal, tell: Listener<LayerNews>): Promise<Brought> => {
      try {
        const brought = await wish.bring(signal, (news) => {
          if (news.kind === "progress") attempt.current = news.current;
          tell(news);
        });
        gathering.arrive(brought);
        return brought;
      } finally {
        attempts.delete(key);
      }
    };
    return this.shared.join(key, work, watcher);
  }

  /** What another brings; undefined where it fails, has ended, or is too slow. */
  private async along(
    other: Attempt,
    wish: LayerWish,
    { listener, signal }: Watcher,
  ): Promise<Brought | undefined> {
    const slow = new AbortController();
    const pace = isSameSource(other.wish, wish)
      ? undefined
      : watchPace(other, this.patience, () => slow.abort(new Error("too slow")));
    const watcher = { listener, signal: AbortSignal.any([signal, slow.signal]) };
    try {
      return await this.shared.follow(keyOf(other.wish), watcher);
    } catch {
      signal.throwIfAborted();
      return undefined; // told to the pull whose registry it is: this one asks its own
    } finally {
      clearInterval(pace);
    }
  }
}

const keyOf = ({ diffId, blob, registry, access }: LayerWish): string =>
  [diffId, blob.digest, registry, access].join(" ");

const isSameSource = (a: LayerWish, b: LayerWish): boolean =>
  a.registry === b.registry && a.blob.digest === b.blob.digest;

function watchPace(attempt: Attempt, patience: Patience, tooSlow: () => void): NodeJS.Timeout {
  const { everyMs, bytesMin, totalMs } = patience;
  let before = attempt.current;
  let left = totalMs;
  return setInterval(() => {
    left -= everyMs;
    const whole = attempt.current >= attempt.wish.blob.size;
    if (left <= 0 || (!whole && attempt.current - before < bytesMin)) tooSlow();
    before = attempt.current;
  }, everyMs);
}
