import { Template } from "../../lib/go/template/template.ts";
import { Struct, type Value } from "../../lib/go/template/values.ts";
import type { LogSource } from "../../lib/log-codecs/message.ts";
import { compilePattern } from "../../lib/text/pattern.ts";
import type { LogDriverOptions } from "./options.ts";

/** What log drivers know of a container. */
export interface LogInfo {
  containerId: string;
  containerName: string;
  imageId: string;
  imageName: string;
  /** the program and its arguments, by spaces */
  command: string;
  created: string;
  labels: Readonly<Record<string, string>>;
  /** `NAME=value` */
  env: readonly string[];
}

/** What `{{…}}` in a tag may name. */
class TagData extends Struct {
  readonly goType = "*logger.Info";
  private readonly info: LogInfo;

  constructor(info: LogInfo) {
    super();
    this.info = info;
  }

  member(name: string): { value: Value } | { method: () => Value } | undefined {
    const { info } = this;
    const values: Record<string, string> = {
      ID: info.containerId.slice(0, 12),
      FullID: info.containerId,
      Name: info.containerName,
      ImageID: info.imageId.slice(0, 12),
      ImageFullID: info.imageId,
      ImageName: info.imageName,
      Command: info.command,
      DaemonName: "berth",
    };
    const value = values[name];
    return value === undefined ? undefined : { method: () => value };
  }

  toJSON(): unknown {
    return this.info;
  }
}

/** The message's tag: the option's template, else `standard`. Throws Go's texts. */
export const renderTag = (info: LogInfo, options: LogDriverOptions, standard = "{{.ID}}"): string =>
  Template.parse(options["tag"] || standard, { name: "log-tag" }).render(new TagData(info));

/** Labels and variables that the options `labels`, `env` and their `-regex` name. */
export function extraAttributes(
  info: Pick<LogInfo, "labels" | "env">,
  options: LogDriverOptions,
): Record<string, string> {
  const extra: Record<string, string> = {};
  const pick = (known: ReadonlyMap<string, string>, list: string, expression: string): void => {
    for (const key of list.split(",")) {
      const value = known.get(key);
      if (value !== undefined) extra[key] = value;
    }
    // what is no pattern names nothing, as with Docker
    const matches = expression === "" ? undefined : compilePattern(expression);
    if (matches) for (const [key, value] of known) if (matches(key)) extra[key] = value;
  };
  pick(new Map(Object.entries(info.labels)), options["labels"] ?? "", options["labels-regex"] ?? "");
  pick(new Map(info.env.map(split)), options["env"] ?? "", options["env-regex"] ?? "");
  return extra;
}

const split = (assignment: string): [string, string] => {
  const at = assignment.indexOf("=");
  return at < 0 ? [assignment, ""] : [assignment.slice(0, at), assignment.slice(at + 1)];
};

export const logSource = (info: LogInfo, options: LogDriverOptions, hostname: string): LogSource => ({
  ...info,
  hostname,
  tag: renderTag(info, options),
  extra: extraAttributes(info, options),
});
