import { EngineError } from "../errors.ts";
import { matchGlob } from "../text/glob.ts";
import { digestProblem } from "./digest.ts";

/**
 * Image references: `[domain/]path[:tag][@digest]`, with Docker's grammar, defaults (docker.io, library/, latest) and
 * sentences (https://pkg.go.dev/github.com/distribution/reference). All errors are of kind `invalid`.
 */
export interface Reference {
  /** `docker.io` where the user named none */
  domain: string;
  /** `library/busybox` */
  path: string;
  tag?: string;
  /** `sha256:<64 hex>` */
  digest?: string;
}

const defaultDomain = "docker.io";
const officialPrefix = "library/";
const pathLengthMax = 255;
/** Nothing longer can be a reference: 255 of path, 128 of tag, 135 of digest, and a host name. */
const lengthMax = 2048;

const component = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domain = `(?:${component}(?:\\.${component})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const pathComponent = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const path = `${pathComponent}(?:/${pathComponent})*`;
const tag = "[\\w][\\w.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const grammar = new RegExp(`^(${domain})/(${path})(?::(${tag}))?(?:@(${digest}))?$`);
const wholeTag = new RegExp(`^${tag}$`);

const invalid = (message: string): EngineError => new EngineError("invalid", message);

function splitDomain(text: string): [domain: string, remainder: string] {
  const slash = text.indexOf("/");
  const head = text.slice(0, Math.max(slash, 0));
  const named = slash >= 0 && (/[.:]/.test(head) || head === "localhost" || head.toLowerCase() !== head);
  const host = named ? head : defaultDomain;
  const rest = named ? text.slice(slash + 1) : text;
  const normal = host === "index.docker.io" ? defaultDomain : host;
  return [normal, normal === defaultDomain && !rest.includes("/") ? officialPrefix + rest : rest];
}

/** Parses a reference as a user writes it; the tag stays absent where none is named. */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text))
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  if (text.length > lengthMax) throw invalid("invalid reference format");
  const [host, remainder] = splitDomain(text);
  const remote = remainder.split(":", 1)[0] ?? "";
  if (remote.toLowerCase() !== remote)
    throw invalid(`invalid reference format: repository name (${remote}) must be lowercase`);
  const match = grammar.exec(`${host}/${remainder}`);
  if (!match) throw invalid("invalid reference format");
  const [, matchedDomain = "", matchedPath = "", matchedTag, matchedDigest] = match;
  if (matchedPath.length > pathLengthMax)
    throw invalid(`repository name must not be more than ${pathLengthMax} characters`);
  const problem = matchedDigest === undefined ? undefined : digestProblem(matchedDigest);
  if (problem) throw invalid(problem);
  return {
    domain: matchedDomain,
    path: matchedPath,
    ...(matchedTag === undefined ? {} : { tag: matchedTag }),
    ...(matchedDigest === undefined ? {} : { digest: matchedDigest }),
  };
}

/** A reference, or a whole image id (with or without `sha256:`). */
export function parseReferenceOrId(text: string): Reference | { id: string } {
  if (/^[a-f0-9]{64}$/.test(text)) return { id: `sha256:${text}` };
  if (digestProblem(text) === undefined) return { id: text };
  return parseReference(text);
}

/** The `repo` and `tag` parameters of an API call: what is to be tagged. A digest is refused, as nothing has it yet. */
export function parseRepoTag(repo: string, tagName = ""): Reference {
  const reference = parseReference(repo);
  if (reference.digest !== undefined) throw invalid("cannot import digest reference");
  return withDefaultTag(tagName ? withTag(reference, tagName) : reference);
}

export function withTag(reference: Reference, tagName: string): Reference {
  if (!wholeTag.test(tagName)) throw invalid("invalid tag format");
  return { ...reference, tag: tagName };
}

/** `latest` where neither tag nor digest is named. */
export const withDefaultTag = (reference: Reference): Reference =>
  reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;

const suffix = ({ tag: tagName, digest: digestText }: Reference): string =>
  (tagName === undefined ? "" : `:${tagName}`) + (digestText === undefined ? "" : `@${digestText}`);

/** `docker.io/library/busybox`: the canonical name without tag and digest. */
export const repositoryOf = ({ domain: host, path: name }: Reference): string => `${host}/${name}`;

/** `docker.io/library/busybox:latest`: the one spelling of a reference, used as key. */
export const canonical = (reference: Reference): string => repositoryOf(reference) + suffix(reference);

/** `busybox`: the shortest spelling of a repository. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== defaultDomain) return repositoryOf(reference);
  const short = reference.path.slice(officialPrefix.length);
  return reference.path.startsWith(officialPrefix) && !short.includes("/") ? short : reference.path;
}

/** `busybox:latest`: the shortest spelling, as Docker tells it. */
export const familiar = (reference: Reference): string => familiarName(reference) + suffix(reference);

/** The `reference` filter: the pattern matches `name:tag` or the bare name. `invalid` for a bad pattern. */
export const matchReference = (pattern: string, reference: Reference): boolean =>
  matchGlob(pattern, familiar(reference)) || matchGlob(pattern, familiarName(reference));
