import { EngineError } from "../../lib/errors.ts";
import { parseReference } from "../../lib/image/reference.ts";

/** What `daemon.json` and flags say of registries. */
export interface RegistryOptions {
  insecureRegistries: readonly string[];
  /** registry host → its mirrors in order; "docker.io" is the Hub */
  mirrors: Readonly<Record<string, readonly string[]>>;
  /** "" = none */
  proxies: { http: string; https: string; exceptions: string };
  maxDownloads: number;
  maxUploads: number;
  downloadAttempts: number;
  /** bytes a layer of a pull, load or import may unpack to; 0 = as the disk allows, but no decompression bomb */
  maxLayerSize: number;
}

/** A map of mirrors or, as with Docker, a list of the Hub's. */
export type MirrorsValue = readonly string[] | Readonly<Record<string, readonly string[]>>;

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

export function checkMirrors(value: MirrorsValue): Record<string, string[]> {
  const byHost = Array.isArray(value) ? { "docker.io": value } : (value as Record<string, readonly string[]>);
  const checked: Record<string, string[]> = {};
  for (const [host, mirrors] of Object.entries(byHost)) {
    if (mirrors.length > 0) checked[checkRegistry(host)] = mirrors.map(checkMirror);
  }
  return checked;
}

function checkMirror(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new EngineError("invalid", `invalid mirror: ${JSON.stringify(text)} is not a valid URI`, { cause });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw invalid(
      `invalid mirror: unsupported scheme ${JSON.stringify(url.protocol.slice(0, -1))} in ${JSON.stringify(text)}`,
    );
  if (url.username || url.password || url.search || url.hash)
    throw invalid(
      `invalid mirror: username, password, query, or fragment at end of the URI ${JSON.stringify(text)}`,
    );
  if (url.pathname !== "/")
    throw invalid(`invalid mirror: path, query, or fragment at end of the URI ${JSON.stringify(text)}`);
  return url.origin;
}

/** The host of a registry as references have it. */
function checkRegistry(host: string): string {
  const { domain } = parseReference(`${host}/x`);
  if (domain !== host && host !== "index.docker.io")
    throw invalid(`${JSON.stringify(host)} is not the host of a registry`);
  return domain;
}

export function checkInsecure(text: string): string {
  const network = /^[0-9a-fA-F.:]+\/\d{1,3}$/.test(text);
  if (/^https?:\/\//.test(text)) throw invalid(`insecure registry ${text} should not contain '://'`);
  if (!network && !/^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/.test(text))
    throw invalid(`insecure registry ${text} is not valid: invalid host ${JSON.stringify(text)}`);
  return text;
}

export function atLeastOne(key: string, value: number | undefined, otherwise: number): number {
  if (value === undefined || value === 0) return otherwise;
  if (value < 0) throw invalid(`invalid ${key.replaceAll("-", " ")}: ${value}`);
  return value;
}

/** As the engine was started; a reload reads them again after they were taken out. */
const environmentAtStart = { ...process.env };

/** The proxies of the engine's environment, which the options come before. */
export function environmentProxies(): RegistryOptions["proxies"] {
  const read = (name: string): string =>
    environmentAtStart[name] || environmentAtStart[name.toLowerCase()] || "";
  return { http: read("HTTP_PROXY"), https: read("HTTPS_PROXY"), exceptions: read("NO_PROXY") };
}

/**
 * Takes the proxies out of the process's environment: from here on they are the options', with Go's rules for exceptions,
 * and the runtime's own `fetch` must not apply them a second time by other rules.
 */
export function dropEnvironmentProxies(): void {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"])
    delete process.env[name];
}
