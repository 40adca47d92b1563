import { jsonLines } from "../lib/wire/json-lines.ts";
import type { WaitResponse } from "../types/api.ts";
import type { Client } from "./client.ts";
import { filterQuery } from "./query.ts";

/** The events of containers, as far as an end is told by them. */
interface EndEvent {
  Action: string;
  Actor: { Attributes?: Record<string, string> | null };
}

/**
 * Waits by the events of a container, where the API (below 1.30) has no conditions to wait for: with none, a wait for
 * what has not started yet is over at once. Below 1.25 engines remove nothing by themselves: what is to be removed
 * goes when it has ended.
 */
export async function waitByEvents(
  client: Client,
  id: string,
  removed: boolean,
  remove: () => Promise<unknown>,
): Promise<{ ended: Promise<WaitResponse> }> {
  const filters = [
    { key: "type", value: "container" },
    { key: "container", value: id },
  ];
  const response = await client.request("GET", "/events", { query: { filters: filterQuery(filters) } });
  const read = async (): Promise<WaitResponse> => {
    let code = 125;
    for await (const event of jsonLines(response.body)) {
      const { Action, Actor } = event as EndEvent;
      if (Action === "detach") return { StatusCode: 0 };
      if (Action === "destroy") return { StatusCode: code };
      if (Action !== "die") continue;
      code = Number(Actor.Attributes?.["exitCode"] ?? code);
      if (!removed) return { StatusCode: code };
      if (client.isOlderThan("1.25")) await remove();
    }
    throw new Error("the engine ended its events");
  };
  return { ended: read() };
}
