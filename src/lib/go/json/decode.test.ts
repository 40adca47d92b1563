import { expect, test } from "bun:test";
import { messageOf } from "../../errors.ts";
import { decodeJson } from "./decode.ts";
import {
  array,
  bool,
  duration,
  empty,
  int64,
  list,
  map,
  type ObjectShape,
  object,
  string,
  stringMap,
  strings,
  text,
  uint,
  uint16,
  words,
} from "./shape.ts";

const host = object("container.HostConfig", {
  Memory: int64,
  Weight: uint16,
  Binds: strings,
  CapAdd: words,
  ConsoleSize: array(uint, 2),
  NetworkMode: text("container.NetworkMode"),
  Devices: list(object("container.DeviceMapping", { Path: string })),
  PortBindings: map(list(object("nat.PortBinding", { HostPort: string })), "nat.PortMap"),
});
const create = object("container.CreateRequest", {
  Image: string,
  Tty: bool,
  Env: strings,
  Cmd: words,
  Labels: stringMap,
  ExposedPorts: map(empty, "nat.PortSet"),
  Interval: duration,
  HostConfig: host,
});
const exec = object("container.ExecOptions", { Cmd: strings, Tty: bool });

function errorOf(source: string, shape: ObjectShape = create): string {
  try {
    decodeJson(source, shape);
  } catch (error) {
    return messageOf(error);
  }
  throw new Error(`accepted: ${source}`);
}

test("keys match without regard to case, unknown ones are dropped, null leaves a field out", () => {
  const source = '{"image":"a","TTY":null,"nosuch":{"x":1},"hostconfig":{"memory":5,"Binds":null}}';
  expect(decodeJson(source, create)).toEqual({ Image: "a", HostConfig: { Memory: 5 } });
  expect(decodeJson("null", create)).toEqual({});
});

test("a list of words may be one string", () => {
  expect(decodeJson('{"Cmd":"sh"}', create)).toEqual({ Cmd: ["sh"] });
  expect(decodeJson('{"Cmd":["sh","-c"]}', create)).toEqual({ Cmd: ["sh", "-c"] });
});

test("a map of texts is ordered by its keys, as Go tells it", () => {
  const { Labels } = decodeJson('{"Labels":{"z":"1","b":"2","a.c":"3"}}', create) as { Labels: object };
  expect(Object.keys(Labels)).toEqual(["a.c", "b", "z"]);
});

test("an own key named __proto__ stays a key", () => {
  const { Labels } = decodeJson('{"Labels":{"__proto__":"x"}}', create) as { Labels: object };
  expect(Object.getPrototypeOf(Labels)).toBe(Object.prototype);
  expect(Object.entries(Labels)).toEqual([["__proto__", "x"]]);
});

// recorded from Docker 28.5.2
const wrong: [source: string, sentence: string][] = [
  ["[]", "array into Go value of type container.CreateRequest"],
  ['"x"', "string into Go value of type container.CreateRequest"],
  ['{"Image":5}', "number into Go struct field .Image of type string"],
  ['{"hostconfig":{"memory":"q"}}', "string into Go struct field .hostconfig.memory of type int64"],
  ['{"HostConfig":{"Memory":1.5}}', "number 1.5 into Go struct field .HostConfig.Memory of type int64"],
  ['{"HostConfig":{"Weight":-1}}', "number -1 into Go struct field .HostConfig.Weight of type uint16"],
  ['{"HostConfig":{"Weight":70000}}', "number 70000 into Go struct field .HostConfig.Weight of type uint16"],
  ['{"HostConfig":[]}', "array into Go struct field .HostConfig of type container.HostConfig"],
  ['{"Env":"x"}', "string into Go struct field .Env of type []string"],
  ['{"Env":[1]}', "number into .Env.0 of type string"],
  ['{"Cmd":5}', "number into Go value of type string"],
  ['{"Cmd":[5]}', "array into Go value of type string"],
  ['{"Labels":["a"]}', "array into Go struct field .Labels of type map[string]string"],
  ['{"Labels":{"a":1}}', "number into Go struct field .Labels.a of type string"],
  ['{"ExposedPorts":{"80":5}}', "number into .ExposedPorts.80 of type struct {}"],
  ['{"Interval":"1s"}', "string into Go struct field .Interval of type time.Duration"],
  [
    '{"HostConfig":{"NetworkMode":5}}',
    "number into Go struct field .HostConfig.NetworkMode of type container.NetworkMode",
  ],
  ['{"HostConfig":{"ConsoleSize":[1,"a"]}}', "string into .HostConfig.ConsoleSize.1 of type uint"],
  ['{"HostConfig":{"Devices":["x"]}}', "string into .HostConfig.Devices.0 of type container.DeviceMapping"],
  [
    '{"HostConfig":{"Devices":"x"}}',
    "string into Go struct field .HostConfig.Devices of type []container.DeviceMapping",
  ],
  [
    '{"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":80}]}}}',
    "number into Go struct field .HostConfig.PortBindings.80~1tcp.0.HostPort of type string",
  ],
];
test.each(wrong)("%s is refused as Go's decoder does", (source, sentence) => {
  expect(errorOf(source)).toBe(`invalid JSON: json: cannot unmarshal ${sentence}`);
});

test("types but the create request name themselves in the path", () => {
  expect(errorOf('{"Cmd":"a"}', exec)).toBe(
    "invalid JSON: json: cannot unmarshal string into Go struct field ExecOptions.Cmd of type []string",
  );
  expect(errorOf('{"Cmd":[5]}', exec)).toBe(
    "invalid JSON: json: cannot unmarshal number into ExecOptions.Cmd.0 of type string",
  );
});

// recorded from Docker 28.5.2
const broken: [source: string, sentence: string][] = [
  ["{nope", "invalid character 'n' looking for beginning of object key string"],
  ['{"Image":"busybox"', "unexpected EOF"],
  ['{"Image":"busy', "unexpected EOF"],
  ['{"Image":"busybox",}', "invalid character '}' looking for beginning of object key string"],
  ['{"Image": "x\\u00zz"}', "invalid escape sequence `\\u00zz` in string"],
  ['{"Image": "x\ny"}', "invalid character '\\n' in string"],
  ["tru", "unexpected EOF"],
  ['{"a":01}', "invalid character '1' after object key:value pair"],
  ['{"a":-}', "invalid character '}' in numeric literal"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ["  ", "got EOF while reading request body"],
];
test.each(broken)("%j is not JSON, in Go's words", (source, sentence) => {
  expect(errorOf(source)).toBe(`invalid JSON: ${sentence}`);
});

test("what follows the value is refused", () => {
  expect(errorOf("\ufeff{}")).toBe(
    "invalid JSON: invalid character '\\ufeff' looking for beginning of value",
  );
  expect(errorOf('{"a":\x01}')).toBe(
    "invalid JSON: invalid character '\\x01' looking for beginning of value",
  );
  expect(errorOf("1e")).toBe("invalid JSON: unexpected EOF");
  expect(errorOf('{"Image":"busybox"} {"x":1}')).toBe("unexpected content after JSON");
});

test("nesting without end is refused, not followed", () => {
  expect(errorOf(`${"[".repeat(200_000)}`)).toBe("invalid JSON: exceeded max depth");
});
