import { EngineError } from "../../lib/errors.ts";
import { type Method, serverStream, unary } from "../grpc/method.ts";
import { contentMethods, infoRequest, infoResponse, readRequest, readResponse } from "../messages/content.ts";
import type { Solves } from "../solve/solves.ts";

/** What the history's records name by digest, for as long as the build's progress can be watched. */
export function contentServed(solves: Solves): [string, Method][] {
  const blob = (digest: string): Uint8Array => {
    const found = solves.document(digest);
    if (found === undefined) throw new EngineError("notFound", `content ${digest}: not found`);
    return found;
  };
  return [
    [
      contentMethods.info,
      unary(infoRequest, infoResponse, async ({ digest }) => ({
        info: { digest, size: blob(digest).length },
      })),
    ],
    [
      contentMethods.read,
      serverStream(readRequest, readResponse, async function* ({ digest, offset, size }) {
        const bytes = blob(digest);
        const end = size > 0 ? offset + size : bytes.length;
        yield { offset, data: bytes.subarray(offset, end) };
      }),
    ],
  ];
}
