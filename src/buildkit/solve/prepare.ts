import { dockerfileIn, folderContext } from "../../build/contexts/folder.ts";
import type { BuildContext, BuildRequest, CachePlace, NamedImage } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { layoutReference, parseLayoutName } from "../../lib/image/oci-layout-name.ts";
import { contentMethods } from "../messages/content.ts";
import { credentialsOf } from "../session/auth.ts";
import { ClientStore } from "../session/content-store.ts";
import { secretsOf } from "../session/secrets.ts";
import type { Session } from "../session/session.ts";
import { agentsOf } from "../session/ssh.ts";
import { ClientContext } from "./context.ts";
import { contextIgnore, type Definition, type DefinitionSource, loadDefinition } from "./definition.ts";
import { type BuildOptions, buildOptions } from "./options.ts";
import type { Parts } from "./parts.ts";
import { openRemote } from "./remote-context.ts";

/** A build that has its Dockerfile and lacks only its outputs. */
export type Prepared = Omit<BuildRequest, "outputs" | "tags" | "annotations" | "cacheTo">;

interface PrepareRequest {
  ref: string;
  attributes: ReadonlyMap<string, string>;
  /** named contexts that are results of other builds, as image references */
  inputs: ReadonlyMap<string, string>;
  allow: readonly string[];
  session: Session;
  tell: DefinitionSource["tell"];
  signal: AbortSignal;
  /** what is to be undone when the build has ended */
  atEnd(close: () => Promise<void>): void;
}

/** Reads what the frontend was asked for and fetches the Dockerfile. */
export async function prepare(parts: Parts, request: PrepareRequest): Promise<Prepared> {
  const { attributes, session, signal, tell } = request;
  const options = buildOptions(attributes);
  const contextFolder = attributes.get("contextkey") ?? "context";
  const source: DefinitionSource = {
    session,
    filename: attributes.get("filename") ?? "Dockerfile",
    dockerfileFolder: attributes.get("dockerfilekey") ?? "dockerfile",
    contextFolder,
    tell,
    signal,
  };
  const { definition, context } = await definitionAndContext(parts, request, source, contextFolder);
  const { contexts, ...rest } = options;
  return {
    ref: request.ref,
    dockerfile: { name: definition.name, text: definition.text },
    context,
    namedContexts: namedContexts(parts, request, contexts, source),
    ...rest,
    cacheFrom: rest.cacheFrom.map((place) => withStore(place, place.attributes["src"], session, signal)),
    secrets: secretsOf(session, signal),
    ssh: agentsOf(session, parts.agentsFolder, signal),
    squash: false,
    allow: new Set(request.allow),
    registryAuth: (host) => credentialsOf(session, host, signal),
    signal,
  };
}

/** A `local` cache is a folder of the client's, which it offers under this name. */
export function withStore(
  place: CachePlace,
  path: string | undefined,
  session: Session,
  signal: AbortSignal,
): CachePlace {
  if (place.type !== "local" || path === undefined || !session.serves(contentMethods.info)) return place;
  return { ...place, store: new ClientStore(session, `local:${path}`, signal) };
}

interface Read {
  definition: Pick<Definition, "name" | "text">;
  context: BuildContext | undefined;
}

async function definitionAndContext(
  parts: Parts,
  { attributes, session, signal, atEnd }: PrepareRequest,
  source: DefinitionSource,
  contextFolder: string,
): Promise<Read> {
  const url = attributes.get("context") ?? "";
  if (url === "") {
    const definition = await loadDefinition(source);
    const ignore = async (): Promise<string[]> => definition.ignore;
    const folder = { session, name: contextFolder, sharedKey: session.sharedKey, ignore };
    return { definition, context: new ClientContext(folder, parts.kept, parts.worker) };
  }
  const remote = await openRemote(parts, {
    url,
    folder: attributes.get("contextsubdir") ?? "",
    session,
    signal,
  });
  atEnd(() => remote.unpacked.close());
  const { root } = remote;
  const fromClient = attributes.has("dockerfilekey");
  const definition = fromClient
    ? await loadDefinition({ ...source, contextFolder: undefined })
    : { name: source.filename, text: dockerfileIn(root, source.filename) };
  const dockerfile = fromClient ? undefined : source.filename;
  return { definition, context: folderContext({ root, dockerfile, live: false }) };
}

type Contexts = BuildRequest["namedContexts"];

function namedContexts(
  parts: Parts,
  { attributes, inputs, session, signal }: PrepareRequest,
  contexts: BuildOptions["contexts"],
  source: DefinitionSource,
): Contexts {
  const named = new Map<string, { context: BuildContext } | NamedImage>();
  for (const [name, value] of contexts) {
    const [, kind = "", rest = ""] = /^([a-z-]+):(.*)$/s.exec(value) ?? [];
    const image = kind === "input" ? inputs.get(rest) : undefined;
    if (image !== undefined) named.set(name, { image });
    else if (kind === "docker-image") named.set(name, { image: rest.replace(/^\/\//, "") });
    else if (kind === "oci-layout") {
      const layout = parseLayoutName(rest.replace(/^\/\//, ""));
      const store = new ClientStore(session, `oci:${layout.path}`, signal);
      named.set(name, { image: layoutReference(name, layout), layout: { store } });
    } else if (kind === "local") {
      const sharedKey = attributes.get(`sharedkey:localdir:${name}`) ?? session.sharedKey;
      const ignore = (): Promise<string[]> => contextIgnore({ ...source, contextFolder: rest });
      named.set(name, {
        context: new ClientContext({ session, name: rest, sharedKey, ignore }, parts.kept, parts.worker),
      });
    } else throw new EngineError("notImplemented", `unsupported context source ${kind || value} for ${name}`);
  }
  return named;
}
