import { expect, test } from "bun:test";
import { Template } from "./template.ts";
import { Nil, Struct, type Value } from "./values.ts";

const inspect = {
  Id: "sha256:abc",
  Name: "/web",
  RestartCount: 2,
  RepoTags: ["busybox:latest"],
  State: { Running: true, Status: "running", ExitCode: 0, Health: { Status: "healthy" } },
  Config: {
    Image: "busybox",
    Labels: { "com.example.x": "y" } as Record<string, string>,
    Env: ["A=1", "B=2"],
  },
  Mounts: [{ Source: "/a" }, { Source: "/b" }],
  NetworkSettings: {
    Networks: { bridge: { IPAddress: "172.17.0.2" } },
    Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
  },
  Nothing: null,
};

const rendered: [template: string, output: string][] = [
  ["{{.State.Running}}", "true"],
  ["{{.State.Health.Status}}", "healthy"],
  ["{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "172.17.0.2"],
  ['{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "8080"],
  ["{{range .Mounts}}{{.Source}} {{end}}", "/a /b "],
  ['{{index .Config.Labels "com.example.x"}}', "y"],
  ["{{index .RepoTags 0}}", "busybox:latest"],
  ["{{json .State}}", '{"Running":true,"Status":"running","ExitCode":0,"Health":{"Status":"healthy"}}'],
  ["{{.Config.Labels}} {{.RepoTags}}", "map[com.example.x:y] [busybox:latest]"],
  ["{{if .State.Running}}up{{else}}down{{end}}", "up"],
  ["{{if eq .State.ExitCode 1 0}}known{{end}}", "known"],
  ['{{if and .Nothing .Nothing.x}}a{{else if eq .Name "/web"}}b{{end}}', "b"],
  ["{{with .Nothing}}x{{else}}none{{end}}", "none"],
  ["{{range $i, $e := .Config.Env}}{{if $i}},{{end}}{{$e}}{{end}}", "A=1,B=2"],
  ['{{range .Config.Env}}{{if eq . "B=2"}}{{break}}{{end}}{{.}}{{end}}', "A=1"],
  ["{{$n := 1}}{{$n = 2}}{{$n}}", "2"],
  ['{{printf "%-6s|%3d|%q" .Name 5 "x"}}', '/web  |  5|"x"'],
  ['{{join (split "a,b" ",") "-"}} {{upper "a"}} {{title "ab cd"}} {{pad "x" 1 2}}|', "a-b A Ab Cd  x  |"],
  ['{{truncate "abcdef" 3}} {{len .Config.Env}} {{slice "abcdef" 1 3}}', "abc 2 bc"],
  ['{{println "a" 1}}x', "a 1\nx"],
  ["a  {{- .RestartCount -}}  b", "a2b"],
  ["{{/* nothing */}}x", "x"],
  ['{{define "t"}}[{{.}}]{{end}}{{template "t" .Name}}', "[/web]"],
  ["{{.Missing}} {{.Nothing}}", "<no value> <no value>"],
  ["{{not true}} {{ne 1 2}} {{lt 1 2}} {{ge 2 2}} {{or 0 5}}", "false true true true 5"],
  ["{{`raw`}} {{'a'}} {{0x10}} {{1.5}}", "raw 97 16 1.5"],
];

for (const [template, output] of rendered) {
  test(`${template} prints what Go prints`, () => {
    expect(Template.parse(template).render(inspect)).toBe(output);
  });
}

const refused: [template: string, sentence: string][] = [
  ["{{", "template: :1: unclosed action"],
  ["{{.Tag", "template: :1: unclosed action"],
  ["{{end}}", "template: :1: unexpected {{end}}"],
  ["{{else}}", "template: :1: unexpected {{else}}"],
  ["{{if .x}}", "template: :1: unexpected EOF"],
  ["{{if}}", "template: :1: missing value for if"],
  ["{{}}", "template: :1: missing value for command"],
  ["{{nofunc}}", 'template: :1: function "nofunc" not defined'],
  ["{{json.}}", "template: :1: unexpected <.> in operand"],
  ['{{"a"}', 'template: :1: unexpected "}" in operand'],
  ["{{$x}}", 'template: :1: undefined variable "$x"'],
  ["{{(.Os}}", "template: :1: unclosed left paren"],
  ["{{.x | 3}}", "template: :1: non executable command in pipeline stage 2"],
  ["\n\n{{.Id'}}", "template: :3: bad character U+0027 '''"],
  ["{{break}}", "template: :1: {{break}} outside {{range}}"],
];

for (const [template, sentence] of refused) {
  test(`${JSON.stringify(template)} is refused as Go refuses it`, () => {
    expect(() => Template.parse(template)).toThrow(sentence);
  });
}

const failing: [template: string, sentence: string][] = [
  ["{{.Config.Nope}}", 'template: :1:9: executing "" at <.Config.Nope>: map has no entry for key "Nope"'],
  [
    "{{index .RepoTags 5}}",
    'template: :1:2: executing "" at <index .RepoTags 5>: error calling index: index out of range: 5',
  ],
  ["{{.Name.x}}", 'template: :1:7: executing "" at <.Name.x>: can\'t evaluate field x in type interface {}'],
  ["{{json}}", 'template: :1:2: executing "" at <json>: wrong number of args for json: want 1 got 0'],
  [
    '{{join .Name ","}}',
    'template: :1:7: executing "" at <.Name>: wrong type for value; expected []string; got string',
  ],
  [
    "{{split .Name}}",
    'template: :1:2: executing "" at <split>: wrong number of args for split: want 2 got 1',
  ],
  ["{{1 .Name}}", 'template: :1:2: executing "" at <1>: can\'t give argument to non-function 1'],
  ["a\nb{{.Nope}}", 'template: :2:3: executing "" at <.Nope>: map has no entry for key "Nope"'],
];

for (const [template, sentence] of failing) {
  test(`${JSON.stringify(template)} fails where and as it fails in Go`, () => {
    expect(() => Template.parse(template, { strictKeys: true }).render(inspect)).toThrow(sentence);
  });
}

class Row extends Struct {
  readonly goType = "*formatter.rowContext";
  member(name: string): { value: Value } | { method: (...args: Value[]) => Value } | undefined {
    if (name === "Name") return { value: "n" };
    return name === "Label" ? { method: (key: Value) => `label ${key}` } : undefined;
  }
  toJSON(): unknown {
    return { Name: "n" };
  }
}

test("a struct's unknown field is an error that names its type", () => {
  expect(() => Template.parse("{{.NoSuch}}").render(new Row())).toThrow(
    'template: :1:2: executing "" at <.NoSuch>: can\'t evaluate field NoSuch in type *formatter.rowContext',
  );
});

test("a method takes arguments, and its own number of them", () => {
  expect(Template.parse('{{.Label "k"}} {{"p" | .Label}}').render(new Row())).toBe("label k label p");
  expect(() => Template.parse("{{.Label}}").render(new Row())).toThrow(
    "wrong number of args for Label: want 1 got 0",
  );
});

test("nil of each kind prints, counts and encodes as in Go", () => {
  const data = { list: new Nil("slice"), map: new Nil("map"), pointer: new Nil("pointer") };
  expect(
    Template.parse(
      "{{.list}} {{.map}} {{.pointer}} {{len .list}} {{json .map}}{{range .list}}x{{end}}",
    ).render(data),
  ).toBe("[] map[] <nil> 0 null");
});

test("a large integer keeps its digits", () => {
  expect(Template.parse("{{.n}} {{json .}}").render({ n: 1795328182123456789n })).toBe(
    '1795328182123456789 {"n":1795328182123456789}',
  );
});
