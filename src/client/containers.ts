import { execProtocol } from "../lib/wire/multiplex.ts";
import type {
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerSummary,
  ExecCreateRequest,
  ExecInspect,
  WaitResponse,
} from "../types/api.ts";
import { readText } from "./answer.ts";
import type { Client, HijackedStream } from "./client.ts";
import type { HttpResponse } from "./http.ts";
import { waitByEvents } from "./legacy-wait.ts";
import { named } from "./named.ts";
import { filterQuery, type Query } from "./query.ts";

/** A container's path; spaces around its name, and the slash it may be written with, are left out; no name is refused. */
export const at = (id: string, rest = ""): string =>
  `/containers/${named("container", id.trim().replace(/^\/+/, ""))}${rest}`;

interface ListOptions {
  all?: boolean;
  limit?: number;
  size?: boolean;
  /** with our own `Reason` */
  why?: boolean;
  filters?: readonly { key: string; value: string }[];
}

export const list = (
  client: Client,
  { all, limit, size, why, filters = [] }: ListOptions = {},
): Promise<ContainerSummary[]> =>
  client.json("GET", "/containers/json", {
    query: {
      all: all || undefined,
      limit: limit && limit > 0 ? limit : undefined,
      size: size || undefined,
      why: why || undefined,
      filters: filterQuery(filters),
    },
  });

export const create = (
  client: Client,
  body: ContainerCreateRequest,
  query: { name?: string; platform?: string },
): Promise<ContainerCreateResponse> =>
  client.json("POST", "/containers/create", {
    json: body,
    query: { name: query.name || undefined, platform: query.platform || undefined },
  });

export const inspect = (client: Client, id: string, size = false): Promise<ContainerInspect> =>
  client.json("GET", at(id, "/json"), { query: { size: size || undefined } });

/** `format` is what the text is for: our own `State.Ended` is asked for only where it says so. */
export const inspectText = (client: Client, id: string, size = false, format = ""): Promise<string> =>
  client.text("GET", at(id, "/json"), {
    query: { size: size || undefined, why: format.includes("Ended") || undefined },
  });

export const start = (client: Client, id: string, query: Query = {}): Promise<HttpResponse> =>
  client.call("POST", at(id, "/start"), { query });

export const stop = (client: Client, id: string, query: Query): Promise<HttpResponse> =>
  client.call("POST", at(id, "/stop"), { query });

export const restart = (client: Client, id: string, query: Query): Promise<HttpResponse> =>
  client.call("POST", at(id, "/restart"), { query });

export const kill = (client: Client, id: string, signal: string): Promise<HttpResponse> =>
  client.call("POST", at(id, "/kill"), { query: { signal: signal || undefined } });

export const remove = (
  client: Client,
  id: string,
  query: { v?: boolean; force?: boolean; link?: boolean },
): Promise<HttpResponse> =>
  client.call("DELETE", at(id), {
    query: { v: query.v || undefined, force: query.force || undefined, link: query.link || undefined },
  });

export const resize = (
  client: Client,
  id: string,
  size: { rows: number; columns: number },
): Promise<HttpResponse> =>
  client.call("POST", at(id, "/resize"), { query: { h: size.rows, w: size.columns } });

/** Resolves when the container ends. The promise inside resolves as soon as the engine listens for that. */
export async function wait(
  client: Client,
  id: string,
  condition: "" | "not-running" | "next-exit" | "removed" | "healthy",
): Promise<{ ended: Promise<WaitResponse> }> {
  if ((condition === "next-exit" || condition === "removed") && client.isOlderThan("1.30"))
    return waitByEvents(client, id, condition === "removed", () => remove(client, id, { v: true }));
  const response = await client.request("POST", at(id, "/wait"), {
    query: { condition: condition || undefined },
  });
  const read = async (): Promise<WaitResponse> => {
    let text = "";
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
    return JSON.parse(text) as WaitResponse;
  };
  return { ended: read() };
}

interface AttachQuery {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  detachKeys: string;
  logs?: boolean;
}

export const attach = (client: Client, id: string, query: AttachQuery): Promise<HijackedStream> =>
  client.hijack(at(id, "/attach"), {
    query: {
      detachKeys: query.detachKeys || undefined,
      logs: query.logs || undefined,
      stderr: query.stderr || undefined,
      stdin: query.stdin || undefined,
      stdout: query.stdout || undefined,
      stream: true,
    },
  });

export const execCreate = (client: Client, id: string, body: ExecCreateRequest): Promise<{ Id: string }> =>
  client.json("POST", at(id, "/exec"), { json: body });

/** Creates an exec; an engine of ours also starts it, on the request's own connection, and tells its exit code there. */
export async function execJoin(
  client: Client,
  id: string,
  body: ExecCreateRequest,
): Promise<{ stream: HijackedStream } | { Id: string }> {
  const answer = await client.upgrade(execProtocol, at(id, "/exec"), { json: body });
  if ("stream" in answer) return answer;
  return JSON.parse(await readText(answer.response.body)) as { Id: string };
}

export const execStart = (client: Client, id: string, body: object): Promise<HttpResponse> =>
  client.call("POST", `/exec/${encodeURIComponent(id)}/start`, { json: body });

export const execAttach = (client: Client, id: string, body: object): Promise<HijackedStream> =>
  client.hijack(`/exec/${encodeURIComponent(id)}/start`, { json: body });

export const execInspect = (client: Client, id: string): Promise<ExecInspect> =>
  client.json("GET", `/exec/${encodeURIComponent(id)}/json`);

export const execResize = (
  client: Client,
  id: string,
  size: { rows: number; columns: number },
): Promise<HttpResponse> =>
  client.call("POST", `/exec/${encodeURIComponent(id)}/resize`, { query: { h: size.rows, w: size.columns } });
