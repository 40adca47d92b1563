import { familiar, familiarName, type Reference } from "../lib/image/reference.ts";
import type { ImagesContext } from "./deps.ts";
import { keyOf } from "./resolve.ts";

/** Tells that a reference was pulled or pushed: one event, also where that was every tag of a repository. */
export function publishTransfer(
  { events, store }: ImagesContext,
  action: "pull" | "push",
  reference: Reference,
): void {
  const image = store.get(store.named(keyOf(reference)) ?? "");
  const labels = image?.config.config?.Labels ?? {};
  events.publish({
    type: "image",
    action,
    id: familiar(reference),
    attributes: { ...labels, name: familiarName(reference) },
  });
}

/** Tells an event of an image as Docker does: its labels and `name` (a reference for tag, else the id). */
export function publish(
  { events, store }: ImagesContext,
  action: string,
  id: string,
  name: string = id,
): void {
  const labels = store.get(id)?.config.config?.Labels ?? {};
  events.publish({ type: "image", action, id, attributes: { ...labels, name } });
}
