import type { RegistryCredentials } from "../../build/contract.ts";
import { codes, GrpcError } from "../grpc/status.ts";
import { credentialsRequest, credentialsResponse, sessionMethods } from "../messages/session.ts";
import type { Session } from "./session.ts";

/** Clients keep Docker Hub's credentials under the name of its registry's host. */
const hubHosts = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** What the client has to log in at a registry; undefined = nothing. A secret without a name is an identity token. */
export async function credentialsOf(
  session: Session,
  host: string,
  signal: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  if (!session.serves(sessionMethods.credentials)) return undefined;
  try {
    const { username, secret } = await session.client.unary(
      sessionMethods.credentials,
      credentialsRequest,
      { host: hubHosts.has(host) ? "registry-1.docker.io" : host },
      credentialsResponse,
      { signal },
    );
    if (secret === "") return undefined;
    return username === "" ? { identityToken: secret } : { username, password: secret };
  } catch (error) {
    if (error instanceof GrpcError && error.code === codes.unimplemented) return undefined;
    throw error;
  }
}
