import type { BuildContext, BuildRequest } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { type BuildOptions, buildOptions } from "../request/options.ts";
import { credentialsOf } from "../session/auth.ts";
import { secretsOf } from "../session/secrets.ts";
import type { Session } from "../session/session.ts";
import { agentsOf } from "../session/ssh.ts";
import { ClientContext } from "./context.ts";
import { contextIgnore, type DefinitionSource, loadDefinition } from "./definition.ts";
import type { Parts } from "./parts.ts";

/** A build that has its Dockerfile and lacks only its outputs. */
export type Prepared = Omit<BuildRequest, "outputs" | "tags" | "annotations" | "cacheTo">;

export interface PrepareRequest {
  ref: string;
  attributes: ReadonlyMap<string, string>;
  /** named contexts that are results of other builds, as image references */
  inputs: ReadonlyMap<string, string>;
  allow: readonly string[];
  session: Session;
  tell: DefinitionSource["tell"];
  signal: AbortSignal;
}

/** Reads what the frontend was asked for and fetches the Dockerfile. */
export async function prepare(parts: Parts, request: PrepareRequest): Promise<Prepared> {
  const { attributes, session, signal, tell } = request;
  const options = buildOptions(attributes);
  refuseRemote(attributes.get("context"));
  const contextFolder = attributes.get("contextkey") ?? "context";
  const source: DefinitionSource = {
    session,
    filename: attributes.get("filename") ?? "Dockerfile",
    dockerfileFolder: attributes.get("dockerfilekey") ?? "dockerfile",
    contextFolder,
    tell,
    signal,
  };
  const definition = await loadDefinition(source);
  const folder = {
    session,
    name: contextFolder,
    sharedKey: session.sharedKey,
    ignore: async () => definition.ignore,
  };
  const { contexts, ...rest } = options;
  return {
    ref: request.ref,
    dockerfile: { name: definition.name, text: definition.text },
    context: new ClientContext(folder, parts.kept, parts.worker),
    namedContexts: namedContexts(parts, request, contexts, source),
    ...rest,
    secrets: secretsOf(session, signal),
    ssh: agentsOf(session, parts.agentsFolder, signal),
    squash: false,
    allow: new Set(request.allow),
    registryAuth: (host) => credentialsOf(session, host, signal),
    signal,
  };
}

type Contexts = BuildRequest["namedContexts"];

function namedContexts(
  parts: Parts,
  { attributes, inputs, session }: PrepareRequest,
  contexts: BuildOptions["contexts"],
  source: DefinitionSource,
): Contexts {
  const named = new Map<string, { context: BuildContext } | { image: string }>();
  for (const [name, value] of contexts) {
    const [, kind = "", rest = ""] = /^([a-z-]+):(.*)$/s.exec(value) ?? [];
    const image = kind === "input" ? inputs.get(rest) : undefined;
    if (image !== undefined) named.set(name, { image });
    else if (kind === "docker-image") named.set(name, { image: rest.replace(/^\/\//, "") });
    else if (kind === "local") {
      const sharedKey = attributes.get(`sharedkey:localdir:${name}`) ?? session.sharedKey;
      const ignore = (): Promise<string[]> => contextIgnore({ ...source, contextFolder: rest });
      named.set(name, {
        context: new ClientContext({ session, name: rest, sharedKey, ignore }, parts.kept, parts.worker),
      });
    } else throw new EngineError("notImplemented", `unsupported context source ${kind || value} for ${name}`);
  }
  return named;
}

function refuseRemote(url: string | undefined): void {
  if (url !== undefined && url !== "")
    throw new EngineError("notImplemented", `a build context at ${url} is not supported by berth yet`);
}
