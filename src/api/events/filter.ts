import { type Filters, matchExact, matchLabels } from "../../lib/wire/filters.ts";
import type { EventMessage } from "../../types/api.ts";

/** Actions that carry a detail behind a colon: a filter may name them without it. */
const detailed = ["exec_create", "exec_start", "health_status"];

/** Whether an event passes the filters of `GET /events`: values of one key are alternatives, keys all must hold. */
export function passes(event: EventMessage, filters: Filters): boolean {
  if (filters.size === 0) return true;
  const { ID, Attributes } = event.Actor;
  return (
    action(filters.get("event"), event.Action) &&
    matchExact(filters, "type", event.Type) &&
    matchExact(filters, "scope", event.scope) &&
    image(filters.get("image"), event) &&
    matchLabels(filters, "label", Attributes) &&
    ["container", "network", "volume", "daemon", "plugin", "node", "service", "secret", "config"].every(
      (key) => named(filters.get(key), ID, Attributes["name"]),
    )
  );
}

const prefixed = (values: string[], value: string): boolean =>
  values.some((prefix) => value.startsWith(prefix));

function action(values: string[] | undefined, value: string): boolean {
  if (!values || values.length === 0) return true;
  return detailed.some((name) => values.includes(name)) ? prefixed(values, value) : values.includes(value);
}

/** By the beginning of the id or of the name. */
function named(values: string[] | undefined, id: string, name: string | undefined): boolean {
  if (!values || values.length === 0) return true;
  return prefixed(values, id) || (name !== undefined && prefixed(values, name));
}

/** By id or name, with its tag or without. */
function image(values: string[] | undefined, event: EventMessage): boolean {
  if (!values || values.length === 0) return true;
  const name = event.Actor.Attributes[event.Type === "image" ? "name" : "image"] ?? "";
  const id = event.Actor.ID;
  return [id, name, withoutTag(id), withoutTag(name)].some((value) => values.includes(value));
}

const withoutTag = (reference: string): string => reference.replace(/:[^/:]*$/, "");
