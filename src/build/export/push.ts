import { EngineError } from "../../lib/errors.ts";
import { parseReference, withDefaultTag } from "../../lib/image/reference.ts";
import type { Session } from "../solver/session.ts";

/** Sends an image to the registries of its names (`push=true`). */
export async function pushAll(session: Session, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new EngineError("invalid", "tag is needed when pushing to registry");
  for (const name of names) {
    const reference = withDefaultTag(parseReference(name));
    const credentials = await session.request.registryAuth(reference.domain);
    const progress = session.deps.images.push({
      reference,
      signal: session.signal,
      ...(credentials === undefined ? {} : { credentials }),
    });
    for await (const _message of progress) session.signal.throwIfAborted();
  }
}
