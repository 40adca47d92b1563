import { Template } from "../../lib/go/template/template.ts";
import { CliError } from "../errors.ts";
import { containerRows } from "./rows/container-rows.ts";
import { Row } from "./template-rows.ts";

/** Whether a template of any kind asks for the sizes of containers: found by rendering it once. */
export function asksForSize(source: string, noTrunc: boolean): boolean {
  let template: Template;
  try {
    template = Template.parse(source);
  } catch (error) {
    throw new CliError(`failed to parse template: ${(error as Error).message}`);
  }
  const kind = containerRows(noTrunc);
  let asked = false;
  const spy = {
    ...kind,
    fields: {
      ...kind.fields,
      Size: () => {
        asked = true;
        return "";
      },
    },
  };
  try {
    template.render(new Row(spy, emptyContainer));
  } catch (error) {
    throw new CliError(`failed to execute template: ${(error as Error).message}`);
  }
  return asked;
}

const emptyContainer: Parameters<ReturnType<typeof containerRows>["fields"][string]>[0] = {
  Id: "",
  Names: [],
  Image: "",
  ImageID: "",
  Command: "",
  Created: 0,
  Ports: [],
  Labels: {},
  State: "created",
  Status: "",
  HostConfig: { NetworkMode: "" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};
