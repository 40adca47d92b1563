import { Struct, type Value } from "../../../lib/go/template/values.ts";

export interface RawEvent {
  status?: string;
  id?: string;
  from?: string;
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> | null };
  scope?: string;
  time?: number;
  timeNano?: number | bigint;
}

/** An event as templates see it. */
export class EventRow extends Struct {
  readonly goType = "*events.Message";
  private readonly event: RawEvent;
  private readonly line: string;

  constructor(event: RawEvent, line: string) {
    super();
    this.event = event;
    this.line = line;
  }

  member(name: string): { value: Value } | undefined {
    const { event } = this;
    const fields: Record<string, Value> = {
      Type: event.Type,
      Action: event.Action,
      Actor: new ActorRow(event.Actor),
      Scope: event.scope ?? "",
      Time: event.time ?? 0,
      TimeNano: event.timeNano ?? 0,
      Status: event.status ?? "",
      ID: event.id ?? "",
      From: event.from ?? "",
    };
    return Object.hasOwn(fields, name) ? { value: fields[name] } : undefined;
  }

  toJSON(): unknown {
    return this.event;
  }

  override jsonText(): string {
    return this.line;
  }
}

class ActorRow extends Struct {
  readonly goType = "events.Actor";
  private readonly actor: RawEvent["Actor"];

  constructor(actor: RawEvent["Actor"]) {
    super();
    this.actor = actor;
  }

  member(name: string): { value: Value } | undefined {
    if (name === "ID") return { value: this.actor.ID };
    return name === "Attributes" ? { value: this.actor.Attributes ?? {} } : undefined;
  }

  override values(): Value[] {
    return [this.actor.ID, this.actor.Attributes ?? {}];
  }

  toJSON(): unknown {
    return this.actor;
  }
}
