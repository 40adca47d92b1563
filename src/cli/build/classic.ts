import type { RequestOptions } from "../../client/client.ts";
import { ApiError } from "../../client/errors.ts";
import { familiar, parseReference } from "../../lib/image/reference.ts";
import { jsonLines } from "../../lib/wire/json-lines.ts";
import type { JsonMessage } from "../../types/api.ts";
import { CliError } from "../errors.ts";
import { ulimit } from "../run/values.ts";
import type { Session } from "../session.ts";
import { isTerminal, writeNow } from "../stdio.ts";
import { showProgress } from "../stream/progress.ts";
import { contextTar } from "./context/context-tar.ts";
import { type BuildSources, dockerfileText, type StreamedContext } from "./context/sources.ts";
import { buildError, solveError } from "./failure.ts";
import type { BuildFlags } from "./flags.ts";
import { buildCredentials } from "./options/credentials.ts";
import type { Output } from "./options/outputs.ts";
import { keyValues } from "./options/pairs.ts";
import { registryHosts } from "./options/registry-hosts.ts";

/** What the classic `POST /build` cannot do is said, not left out. */
function checkPossible(flags: BuildFlags, outputs: readonly Output[]): void {
  const impossible: [boolean, string][] = [
    [flags.secret.length > 0, "--secret"],
    [flags.ssh.length > 0, "--ssh"],
    [flags.onError === "shell", "--on-error=shell"],
    [flags.buildContext.length > 0, "--build-context"],
    [flags.noCacheFilter.length > 0, "--no-cache-filter"],
    [flags.platform.length > 1, "several platforms"],
    [flags.check || (flags.call !== "build" && flags.call !== ""), "--call"],
    [outputs.some(({ type, attributes }) => type !== "image" || attributes["push"] === "true"), "--output"],
  ];
  const option = impossible.find(([asked]) => asked)?.[1];
  if (option !== undefined) throw impossibleError(option);
}

const impossibleError = (what: string): CliError =>
  buildError(`${what} needs an engine on this machine (or docker's buildx): this one is elsewhere`);

/** Sends the context to an engine that does not see this machine's files. */
export async function buildRemotely(
  session: Session,
  sources: BuildSources | StreamedContext,
  flags: BuildFlags,
  outputs: readonly Output[],
): Promise<number> {
  checkPossible(flags, outputs);
  const isElsewhere =
    "dockerfile" in sources ? sources.dockerfile.url !== undefined : sources.text !== undefined;
  if (isElsewhere) throw impossibleError("a Dockerfile from elsewhere than the context (--file)");
  const remote = "dockerfile" in sources ? undefined : sources.remote;
  const tar = "dockerfile" in sources ? contextTar(sources) : sources.tar;
  const hosts = registryHosts(dockerfileText(sources), flags, session.config);
  const request = {
    query: query(flags, remote, "dockerfile" in sources ? sources.dockerfile.name : flags.file),
    headers: { "X-Registry-Config": await registryConfig(session, hosts) },
    ...(tar === undefined ? {} : { body: tar, contentType: "application/x-tar" }),
  };
  const id = await built(session, request, flags).catch((error: unknown) => {
    throw buildFailure(error);
  });
  if (flags.iidfile) await Bun.write(flags.iidfile, id);
  if (flags.quiet && id !== "") session.out(id);
  return 0;
}

async function built(session: Session, request: RequestOptions, { quiet }: BuildFlags): Promise<string> {
  const { body } = await session.client.request("POST", "/build", request);
  return quiet ? await quietly(body) : await loudly(body);
}

/** What is wrong with the build reads as after one in place; that the engine cannot be reached does not. */
function buildFailure(error: unknown): unknown {
  if (error instanceof ApiError) return solveError(error.sentence);
  return error instanceof CliError ? solveError(error.message) : error;
}

async function loudly(body: AsyncIterable<Uint8Array>): Promise<string> {
  let id = "";
  await showProgress(body, 2, (aux) => {
    id = idOf(aux) ?? id;
  });
  return id;
}

/** Only the last line matters; what went before is shown when the build fails. */
async function quietly(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  let id = "";
  for await (const object of jsonLines(body)) {
    const message = object as JsonMessage;
    id = idOf(message.aux) ?? id;
    if (message.error !== undefined) {
      if (!isTerminal(1)) writeNow(2, text);
      throw new CliError(message.errorDetail?.message ?? message.error);
    }
    text = (text + (message.stream ?? "")).slice(-(1 << 20));
  }
  return id || text.trim();
}

const idOf = (aux: unknown): string | undefined =>
  typeof aux === "object" && aux !== null && "ID" in aux && typeof aux.ID === "string" ? aux.ID : undefined;

function query(flags: BuildFlags, remote: string | undefined, dockerfile: string) {
  const text = (value: string): string | undefined => value || undefined;
  const number = (value: number): number | undefined => value || undefined;
  return {
    buildkit: true,
    buildargs: JSON.stringify(keyValues(flags.buildArg, true)),
    cgroupparent: text(flags.cgroupParent),
    cpuperiod: number(flags.cpuPeriod),
    cpuquota: number(flags.cpuQuota),
    cpusetcpus: text(flags.cpusetCpus),
    cpusetmems: text(flags.cpusetMems),
    cpushares: number(flags.cpuShares),
    dockerfile: text(dockerfile),
    extrahosts: flags.addHost.length > 0 ? JSON.stringify(flags.addHost) : undefined,
    labels: JSON.stringify(keyValues(flags.label)),
    memory: number(flags.memory),
    memswap: number(flags.memorySwap),
    networkmode: text(flags.network),
    nocache: flags.noCache || undefined,
    platform: text(flags.platform[0] ?? ""),
    pull: flags.pull || undefined,
    q: flags.quiet || undefined,
    remote,
    rm: true,
    shmsize: number(flags.shmSize),
    squash: flags.squash || undefined,
    t: flags.tag.map((tag) => familiar(parseReference(tag))),
    target: text(flags.target),
    ulimits: flags.ulimit.length > 0 ? JSON.stringify(flags.ulimit.map(ulimit)) : undefined,
  };
}

/** `X-Registry-Config`: credentials, by host. */
async function registryConfig(session: Session, hosts: readonly string[]): Promise<string> {
  const entries = Object.entries(await buildCredentials(session, hosts)).map(([host, found]) => {
    const server = host === "docker.io" ? "https://index.docker.io/v1/" : host;
    const { username, password, identityToken, registryToken } = found;
    return [server, { username, password, identitytoken: identityToken, registrytoken: registryToken }];
  });
  return Buffer.from(JSON.stringify(Object.fromEntries(entries))).toString("base64url");
}
