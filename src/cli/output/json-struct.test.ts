import { expect, test } from "bun:test";
import { Template } from "../../lib/go/template/template.ts";
import { jsonStruct } from "./json-struct.ts";

const render = (template: string, object: object): string =>
  Template.parse(template).render(jsonStruct("types.Inspect", object));

test("a label that is not there is no value, a field that is not there is an error", () => {
  const object = { Config: { Hostname: "h", Labels: { a: "b" } } };
  expect(render("{{.Config.Labels.a}} {{.Config.Labels.none}}", object)).toBe("b <no value>");
  expect(() => render("{{.Config.None}}", object)).toThrow("can't evaluate field None in type types.Config");
});

test("a container's fields that JSON leaves out have their zero values", () => {
  const object = { Id: "1", HostConfig: { Binds: null }, State: {}, Mounts: [{ Type: "bind" }] };
  expect(
    render(
      "{{json .SizeRw}} {{.State.Health}} {{.HostConfig.KernelMemory}} {{.HostConfig.Binds}} {{.ID}}",
      object,
    ),
  ).toBe("null <nil> 0 [] 1");
  expect(render("{{range .Mounts}}{{.Type}}{{.Name}}{{end}}", object)).toBe("bind");
});

test("fields are known by their names in Go, too, and a container without a check prints a nil for it", () => {
  const object = { HostConfig: { Dns: [], NanoCpus: 5 }, State: { Status: "exited", Dead: false } };
  expect(render("{{.HostConfig.DNS}} {{.HostConfig.NanoCPUs}} {{.State}}", object)).toBe(
    "[] 5 {exited false <nil>}",
  );
});

test("an image's configuration is written in its type's order, without what is empty", () => {
  const object = {
    Config: { Cmd: ["sh"], Env: null, Healthcheck: { Interval: 1, Test: ["NONE"] }, User: "u" },
  };
  expect(render("{{json .Config}}", object)).toBe(
    '{"User":"u","Cmd":["sh"],"Healthcheck":{"Test":["NONE"],"Interval":1}}',
  );
});

test("a whole image is written in its type's order, and fields that its JSON lacks have their zero values", () => {
  const object = {
    Id: "1",
    Author: "",
    Os: "linux",
    RootFS: { Type: "layers" },
    Config: { Env: ["A=1"], Cmd: null },
  };
  expect(render("{{json .}}", object)).toBe(
    '{"Id":"1","Author":"","Config":{"Env":["A=1"]},"Os":"linux","RootFS":{"Type":"layers"}}',
  );
  expect(render("{{.VirtualSize}} {{.ContainerConfig}} {{.Container}}|", object)).toBe("0 <nil> |");
});

test("a network's address configuration is left as it is, and its time prints as Go prints times", () => {
  const object = {
    Created: "2026-01-02T03:04:05.6Z",
    EnableIPv6: false,
    IPAM: { Config: [{ Subnet: "10.0.0.0/8" }] },
  };
  expect(render("{{json .IPAM.Config}} {{.Created}}", object)).toBe(
    '[{"Subnet":"10.0.0.0/8"}] 2026-01-02 03:04:05.6 +0000 UTC',
  );
  expect(render("{{json .Created}}", object)).toBe('"2026-01-02T03:04:05.6Z"');
});

test("why a container ended is told where it is asked for, and not among Docker's fields", () => {
  const of = (template: string, state: object): string => render(template, { HostConfig: {}, State: state });
  expect(of("{{json .State}}", { Status: "exited", Ended: { Cause: "oom" } })).toBe('{"Status":"exited"}');
  expect(of("{{.State.Ended.Cause}}", { Ended: { Cause: "oom" } })).toBe("oom");
  expect(of("{{json .State.Ended}}", { Status: "running" })).toBe("null");
});
