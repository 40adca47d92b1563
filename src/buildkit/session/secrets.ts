import type { SecretSource } from "../../build/contract.ts";
import { codes, GrpcError } from "../grpc/status.ts";
import { getSecretRequest, getSecretResponse, sessionMethods } from "../messages/session.ts";
import type { Session } from "./session.ts";

/** Secrets are asked of the client when a step needs them; nothing here keeps them. */
export function secretsOf(session: Session, signal: AbortSignal): SecretSource {
  return {
    get: async (id) => {
      if (!session.serves(sessionMethods.getSecret)) return undefined;
      try {
        const answer = await session.client.unary(
          sessionMethods.getSecret,
          getSecretRequest,
          { id },
          getSecretResponse,
          { signal },
        );
        return answer.data;
      } catch (error) {
        if (
          error instanceof GrpcError &&
          [codes.notFound, codes.unimplemented].some((code) => code === error.code)
        )
          return undefined;
        throw error;
      }
    },
  };
}
