import type { EventMessage } from "../../types/api.ts";
import type { Filters } from "../decode/filters.ts";

/** Actions that carry a detail behind a colon: a filter may name them without it. */
const detailed = ["exec_create", "exec_start", "health_status"];

/** Whether an event passes the filters of `GET /events`: values of one key are alternatives, keys all must hold. */
export function passes(event: EventMessage, filters: Filters): boolean {
  if (filters.size === 0) return true;
  const { ID, Attributes } = event.Actor;
  return (
    action(filters.get("event"), event.Action) &&
    exact(filters.get("type"), event.Type) &&
    exact(filters.get("scope"), event.scope) &&
    image(filters.get("image"), event) &&
    labels(filters.get("label"), Attributes) &&
    ["container", "network", "volume", "daemon", "plugin", "node", "service", "secret", "config"].every(
      (key) => named(filters.get(key), ID, Attributes["name"]),
    )
  );
}

const exact = (values: string[] | undefined, value: string): boolean =>
  values === undefined || values.length === 0 || values.includes(value);

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

function labels(values: string[] | undefined, attributes: Record<string, string>): boolean {
  return (values ?? []).every((wanted) => {
    const equals = wanted.indexOf("=");
    if (equals < 0) return wanted in attributes;
    return attributes[wanted.slice(0, equals)] === wanted.slice(equals + 1);
  });
}
