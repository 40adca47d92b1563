import { EngineError } from "../lib/errors.ts";
import type { Call } from "./call.ts";
import type { Reply } from "./reply.ts";

/**
 * Routes: a method, a path pattern, and a plain function. `{name}` in a pattern takes any text, slashes included, as
 * image names need, at its end also none; `{id:segment}` takes one part of the path. The first route of a table that
 * matches wins.
 */
export type Handler = (call: Call) => Promise<Reply> | Reply;

export interface Route {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  pattern: string;
  handler: Handler;
}

interface Match {
  route: Route;
  params: Record<string, string>;
}

interface Compiled {
  route: Route;
  expression: RegExp;
  names: string[];
}

export class Router {
  /** "GET /version" → route, for patterns without parameters */
  private readonly exact = new Map<string, Match>();
  /** "GET containers" → routes with parameters, by their first path segment */
  private readonly byFirst = new Map<string, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.add(route);
  }

  private add(route: Route): void {
    if (!route.pattern.includes("{")) {
      this.exact.set(`${route.method} ${route.pattern}`, { route, params: {} });
      return;
    }
    const key = `${route.method} ${firstSegment(route.pattern)}`;
    const compiled = this.byFirst.get(key);
    if (compiled) compiled.push(compile(route));
    else this.byFirst.set(key, [compile(route)]);
  }

  match(method: string, path: string): Match | undefined {
    const exact = this.exact.get(`${method} ${path}`);
    if (exact) return exact;
    for (const { route, expression, names } of this.byFirst.get(`${method} ${firstSegment(path)}`) ?? []) {
      const found = expression.exec(path);
      if (!found) continue;
      const params: Record<string, string> = {};
      names.forEach((name, index) => {
        params[name] = found[index + 1] ?? "";
      });
      return { route, params };
    }
    return undefined;
  }
}

function firstSegment(path: string): string {
  const end = path.indexOf("/", 1);
  return end < 0 ? path.slice(1) : path.slice(1, end);
}

function compile(route: Route): Compiled {
  const names: string[] = [];
  const source = route.pattern.replaceAll(
    /\{(\w+)(:segment)?\}/g,
    (whole, name: string, segment?: string) => {
      names.push(name);
      if (segment) return "([^/]+)";
      return route.pattern.endsWith(whole) ? "(.*)" : "(.+)";
    },
  );
  return { route, names, expression: new RegExp(`^${source}$`, "s") };
}

/** The newest API version spoken, and the oldest; both of major version 1. */
export const newestMinor = 51;
const oldestMinor = 24;

interface Target {
  /** decoded path without the version prefix */
  path: string;
  /** what follows `?` */
  search: string;
  /** as written in the URL; undefined = none, the newest */
  version: string | undefined;
  /** the path's right spelling, where it has another */
  clean?: string;
}

/** Takes a request target apart, as proxies send it too (`GET http://host/path`). Undefined where its percent-encoding is broken. */
export function parseTarget(url: string): Target | undefined {
  const origin = url.startsWith("/") ? url : url.replace(/^https?:\/\/[^/?]*(?=[/?]|$)/i, "") || "/";
  const mark = origin.indexOf("?");
  const raw = mark < 0 ? origin : origin.slice(0, mark);
  const search = mark < 0 ? "" : origin.slice(mark + 1);
  const whole = raw.includes("%") ? decode(raw) : raw;
  if (whole === undefined) return undefined;
  const clean = cleanPath(whole);
  if (clean !== whole) return { path: whole, search, version: undefined, clean };
  const prefix = /^\/v([0-9.]+)(?=\/)/.exec(whole);
  const path = prefix ? whole.slice(prefix[0].length) : whole;
  return { path, search, version: prefix?.[1] };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** The minor version a URL asks for. Throws `invalid` outside of what is spoken. */
export function minorVersion(version: string | undefined): number {
  if (version === undefined) return newestMinor;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const asked = major * 1_000_000 + minor;
  if (asked > 1_000_000 + newestMinor)
    throw new EngineError(
      "invalid",
      `client version ${version} is too new. Maximum supported API version is 1.${newestMinor}`,
    );
  if (asked < 1_000_000 + oldestMinor)
    throw new ClientTooOld(
      "invalid",
      `client version ${version} is too old. Minimum supported API version is 1.${oldestMinor}, please upgrade your client to a newer version`,
    );
  return minor;
}

/** Clients that old expect errors as plain text. */
export class ClientTooOld extends EngineError {}

/** The path without empty, `.` and `..` parts; a request for another spelling is redirected to it. */
function cleanPath(path: string): string {
  if (!path.includes("//") && !path.includes("/.")) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const clean = `/${parts.join("/")}`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}
