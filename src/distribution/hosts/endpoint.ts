import { isKind } from "../../lib/errors.ts";
import { type Challenge, parseChallenges } from "../auth/challenge.ts";
import { isTlsFailure } from "../http/failure.ts";
import type { Transport } from "../http/transport.ts";
import { isInsecure } from "./insecure.ts";

/** A registry's address once it has answered. */
interface Reached {
  /** `https://host:port` */
  base: URL;
  /** it is another host than was asked for, by a redirect: credentials are not for it */
  elsewhere: boolean;
  challenges: Challenge[];
}

/** How long an answer stands: a registry may change from plain to TLS under the engine. */
const validMs = 10 * 60_000;

/**
 * One registry's address: it answers at `https://`, or, where it may be insecure, at `http://`; which of them, and how it
 * wants to be authenticated, is asked once and remembered. A failure is not.
 */
export class Endpoint {
  readonly host: string;
  private readonly transport: Transport;
  private readonly candidates: readonly URL[];
  private known: { reached: Promise<Reached>; until: number } | undefined;

  /** `address` is a host with or without port, or a whole URL (a mirror), whose scheme then counts. */
  constructor(transport: Transport, address: string) {
    this.transport = transport;
    const whole = /^https?:\/\//.test(address);
    const secure = new URL(whole ? address : `https://${address}`);
    this.host = secure.host;
    const insecure = !whole && isInsecure(address, transport.options.insecureRegistries);
    this.candidates = insecure ? [secure, new URL(`http://${address}`)] : [secure];
  }

  /** `https://host`, for messages */
  get name(): string {
    return this.candidates[0]?.origin ?? "";
  }

  reach(signal: AbortSignal): Promise<Reached> {
    if (this.known !== undefined && performance.now() < this.known.until)
      return untilAborted(this.known.reached, signal);
    const reached = this.ping();
    const known = { reached, until: performance.now() + validMs };
    this.known = known;
    reached.catch(() => {
      if (this.known === known) this.known = undefined;
    });
    return untilAborted(reached, signal);
  }

  /** Several may wait for it, so that it ends with none of them, but by the transport's patience. */
  private async ping(): Promise<Reached> {
    const { signal } = new AbortController();
    let failure: unknown;
    for (const base of this.candidates) {
      try {
        const answer = await this.transport.send({ method: "GET", url: new URL("/v2/", base), signal });
        await answer.discard();
        const elsewhere = answer.url.hostname !== base.hostname;
        return {
          base: new URL(answer.url.origin),
          elsewhere,
          challenges: challengesOf(answer.status, answer.headers),
        };
      } catch (error) {
        failure = error;
        if (!isKind(error, "internal") || !isTlsFailure(error)) break;
      }
    }
    throw failure;
  }
}

const challengesOf = (status: number, headers: Headers): Challenge[] =>
  status === 401 ? parseChallenges(headers.get("www-authenticate") ?? "") : [];

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let leave: () => void = () => undefined;
  const gone = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
  });
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([work, gone]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
