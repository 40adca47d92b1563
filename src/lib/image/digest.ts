import { EngineError } from "../errors.ts";

/**
 * Content digests, `algorithm:hex` (OCI image spec, "Descriptors"). Berth stores by SHA-256 alone; the other
 * registered algorithms are known so that a reference with one is refused for the right reason.
 */
const hexLength: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

const digestShape = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/** Docker's sentence for a digest that is none; undefined for a good one. */
export function digestProblem(text: string): string | undefined {
  const colon = text.indexOf(":");
  if (colon <= 0 || colon + 1 === text.length) return "invalid checksum digest format";
  const length = hexLength[text.slice(0, colon)];
  const hex = text.slice(colon + 1);
  if (length === undefined)
    return digestShape.test(text) ? "unsupported digest algorithm" : "invalid checksum digest format";
  if (hex.length !== length) return "invalid checksum digest length";
  return /^[0-9a-f]+$/.test(hex) ? undefined : "invalid checksum digest format";
}

/** Whether this is `sha256:` and 64 lower-case hex digits. */
export const isSha256 = (text: string): boolean => /^sha256:[0-9a-f]{64}$/.test(text);

/** Refuses (kind `invalid`) anything but a SHA-256 digest; `what` names it in the sentence. */
export function requireSha256(text: unknown, what: string): string {
  if (typeof text !== "string") throw new EngineError("invalid", `${what}: digest is missing`);
  if (isSha256(text)) return text;
  const problem = digestProblem(text) ?? "unsupported digest algorithm";
  throw new EngineError("invalid", `${what}: ${problem}: ${JSON.stringify(text.slice(0, 100))}`);
}

// not by node:crypto, which the client would have to load for every reference it reads (3 ms)
export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;

/**
 * The chain id of every stack of layers, lowest first: the id of the stack that ends at that layer
 * (OCI image spec, "Layer ChainID").
 */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
  }
  return chain;
}
