import type { RegistryCredentials } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import type { Call } from "../call.ts";

const headerMax = 1024 * 1024;

/** The `X-Registry-Config` header: credentials for registries, as JSON in base64. */
export function registryAuthOf(call: Call): (host: string) => Promise<RegistryCredentials | undefined> {
  const header = call.headers["x-registry-config"];
  const text = Array.isArray(header) ? (header[0] ?? "") : (header ?? "");
  if (text.length > headerMax) throw new EngineError("tooLarge", "the X-Registry-Config header is too large");
  const known = decode(text);
  return (host) => {
    const names =
      host === "docker.io" ? ["https://index.docker.io/v1/", "docker.io", "index.docker.io"] : [host];
    const found = names
      .flatMap((name) => [name, `https://${name}`, `https://${name}/`, `http://${name}`])
      .find((name) => Object.hasOwn(known, name));
    return Promise.resolve(found === undefined ? undefined : credentialsOf(known[found]));
  };
}

function decode(text: string): Record<string, unknown> {
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // Docker passes over a header it cannot read
  }
}

function credentialsOf(value: unknown): RegistryCredentials | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text = (name: string): string | undefined => {
    const member = (value as Record<string, unknown>)[name];
    return typeof member === "string" && member !== "" ? member : undefined;
  };
  const members = {
    username: text("username"),
    password: text("password"),
    identityToken: text("identitytoken"),
    registryToken: text("registrytoken"),
  };
  return Object.fromEntries(Object.entries(members).filter(([, one]) => one !== undefined));
}
