import type { ImagesContext } from "./deps.ts";

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
