import { credentialsOf as credentialsOfBody } from "../../../distribution/auth/credentials.ts";
import { EngineError, messageOf } from "../../../lib/errors.ts";
import { decodeJson } from "../../../lib/go/json/decode.ts";
import { object, string } from "../../../lib/go/json/shape.ts";
import { canonical, parseReference, withDefaultTag, withTag } from "../../../lib/image/reference.ts";
import { booleanFilter } from "../../../lib/wire/filters.ts";
import type { Call } from "../../call.ts";
import { credentialsOf } from "../../decode/credentials.ts";
import { listFilters } from "../../decode/filters.ts";
import { parseGoInt } from "../../decode/query.ts";
import { json } from "../../reply.ts";
import type { Handler, Route } from "../../router.ts";
import { startedMessages } from "./image-load.ts";

const push: Handler = (call) => {
  const named = parseReference(call.param("name"));
  const tag = call.query.text("tag");
  const platform = call.query.text("platform");
  const credentials = credentialsOf(call);
  return startedMessages(
    call.engine.images.push({
      reference: tag === "" ? named : withTag(named, tag),
      signal: call.signal,
      ...(platform === "" ? {} : { platform }),
      ...(credentials ? { credentials } : {}),
    }),
  );
};

const distribution: Handler = async (call) => {
  const name = call.param("name");
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name))
    throw new EngineError("internal", "no manifest found for full image ID");
  const reference = parseReference(name);
  const credentials = credentialsOf(call);
  return json(
    await call.engine.images.describeRemote({
      reference,
      signal: call.signal,
      ...(credentials ? { credentials } : {}),
    }),
  );
};

/** Of our own: a manifest's text, for `manifest inspect`. */
const manifest: Handler = async (call) => {
  const reference = parseReference(call.param("name"));
  const credentials = credentialsOf(call);
  const { mediaType, digest, bytes, platform } = await call.engine.images.remoteManifest({
    reference,
    signal: call.signal,
    ...(credentials ? { credentials } : {}),
  });
  return json({
    Ref: canonical(withDefaultTag(reference)),
    Descriptor: { mediaType, digest, size: bytes.length, ...(platform ? { platform } : {}) },
    Raw: Buffer.from(bytes).toString("base64"),
  });
};

const putShape = object("PutManifest", { MediaType: string, Raw: string, From: string });

/** Of our own: brings a manifest or index to a registry, for `manifest push`. */
const putManifest: Handler = async (call) => {
  const reference = parseReference(call.param("name"));
  const {
    MediaType = "",
    Raw = "",
    From,
  } = await call.json<{ MediaType?: string; Raw?: string; From?: string }>(putShape, true);
  const credentials = credentialsOf(call);
  const digest = await call.engine.images.putRemoteManifest({
    reference,
    mediaType: MediaType,
    bytes: new Uint8Array(Buffer.from(Raw, "base64")),
    signal: call.signal,
    ...(From ? { from: From } : {}),
    ...(credentials ? { credentials } : {}),
  });
  return json({ Digest: digest });
};

/** Of our own: what refers to a manifest, for `manifest referrers`. */
const referrers: Handler = async (call) => {
  const credentials = credentialsOf(call);
  const artifactType = call.query.text("artifact-type");
  const { digest, referrers: found } = await call.engine.images.remoteReferrers({
    reference: parseReference(call.param("name")),
    signal: call.signal,
    ...(artifactType ? { artifactType } : {}),
    ...(credentials ? { credentials } : {}),
  });
  return json({ Digest: digest, Referrers: found });
};

const authShape = object("registry.AuthConfig", {
  username: string,
  password: string,
  auth: string,
  serveraddress: string,
  identitytoken: string,
  registrytoken: string,
});

const authBodyMax = 1024 * 1024;

/** Docker reads this one body without the care it has for others: of any type, and a bad one is a 500 in Go's bare words. */
async function authBody(call: Call): Promise<Record<string, string>> {
  try {
    return decodeJson((await call.bytes(authBodyMax)).toString("utf8"), authShape) as Record<string, string>;
  } catch (error) {
    const text = messageOf(error);
    if (!text.startsWith("invalid JSON: ")) throw error;
    const bare = text.includes("got EOF") ? "EOF" : text.slice("invalid JSON: ".length);
    throw new EngineError("internal", bare, { cause: error });
  }
}

const auth: Handler = async (call) => {
  const body = await authBody(call);
  const { status, identityToken } = await call.engine.registries.login(
    body["serveraddress"] ?? "",
    credentialsOfBody(body) ?? {},
    call.signal,
  );
  return json({ IdentityToken: identityToken, Status: status });
};

const limitDefault = 25;
const limitMax = 100;

const search: Handler = async (call) => {
  const limitText = call.query.text("limit");
  const limit = limitText === "" ? limitDefault : limitOf(limitText) || limitDefault;
  const filters = listFilters(call.query.text("filters"), "search");
  const official = filters.has("is-official") ? booleanFilter(filters, "is-official", false) : undefined;
  const automated = filters.has("is-automated") ? booleanFilter(filters, "is-automated", false) : undefined;
  const stars = (filters.get("stars") ?? []).map(starsOf);
  if (limit < 1 || limit > limitMax)
    throw new EngineError("invalid", `limit ${limit} is outside the range of [1, ${limitMax}]`);
  const term = call.query.text("term");
  if (/^https?:\/\//.test(term))
    throw new EngineError(
      "invalid",
      `invalid repository name: repository name (${term}) should not have a scheme`,
    );
  const credentials = credentialsOf(call);
  const { results } = await call.engine.registries.search({
    term,
    limit,
    signal: call.signal,
    ...(credentials ? { credentials } : {}),
  });
  return json(
    results.filter(
      (each) =>
        automated !== true &&
        (official === undefined || each.is_official === official) &&
        stars.every((least) => each.star_count >= least),
    ),
  );
};

function limitOf(text: string): number {
  try {
    return parseGoInt(text, "Atoi", "invalid");
  } catch (error) {
    throw new EngineError("invalid", `invalid limit specified: ${messageOf(error)}`);
  }
}

function starsOf(text: string): number {
  if (/^[-+]?\d+$/.test(text)) return Number(text);
  const why = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new EngineError("invalid", `invalid filter 'stars=${text}': ${why}`);
}

export const registryRoutes: readonly Route[] = [
  { method: "POST", pattern: "/auth", handler: auth },
  { method: "GET", pattern: "/images/search", handler: search },
  { method: "POST", pattern: "/images/{name}/push", handler: push },
  { method: "GET", pattern: "/distribution/{name}/json", handler: distribution },
  { method: "GET", pattern: "/berth/manifests/{name}", handler: manifest },
  { method: "PUT", pattern: "/berth/manifests/{name}", handler: putManifest },
  { method: "GET", pattern: "/berth/referrers/{name}", handler: referrers },
];
