import { familiarName, type Reference } from "../../lib/image/reference.ts";
import type { JsonMessage } from "../../types/api.ts";
import { registryAuth } from "../credentials/registry-auth.ts";
import type { Session } from "../session.ts";
import { showProgress } from "../stream/progress.ts";

/** `POST /images/create` for one reference; progress goes to `fd`, or nowhere. */
export async function pullImage(
  session: Session,
  reference: Reference,
  platform: string,
  fd: 1 | 2 | undefined,
): Promise<void> {
  const tag = reference.digest ?? reference.tag ?? "";
  const response = await session.client.request("POST", "/images/create", {
    query: { fromImage: familiarName(reference), tag, platform: platform || undefined },
    headers: await registryAuth(session, reference.domain),
  });
  if (fd !== undefined) return showProgress(response.body, fd);
  await drain(response.body);
}

/** Reads a progress stream for its errors, and for what `each` looks for. */
export async function drain(
  body: AsyncIterable<Uint8Array>,
  each?: (message: JsonMessage) => void,
): Promise<void> {
  const { jsonLines } = await import("../../lib/wire/json-lines.ts");
  for await (const object of jsonLines(body)) {
    const message = object as JsonMessage;
    if (message.error !== undefined) throw new Error(message.errorDetail?.message ?? message.error);
    each?.(message);
  }
}
