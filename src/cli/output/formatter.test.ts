import { expect, test } from "bun:test";
import { formatList } from "./formatter.ts";
import { indentJson } from "./indent-json.ts";
import { oneByOne, type RowKind } from "./row-kind.ts";
import { displayPorts } from "./rows/ports.ts";
import { alignColumns, alignTabs } from "./tabwriter.ts";
import { ellipsis } from "./text.ts";

const kind: RowKind<{ id: string; name: string }> = {
  goType: "*formatter.testContext",
  headers: { ID: "TEST ID", Name: "NAME" },
  fields: { ID: ({ id }) => id, Name: ({ name }) => name },
  methods: { Label: () => (key) => `<${key}>` },
};
const items = [
  { id: "1", name: "a" },
  { id: "22", name: "a name that is long" },
];
const list = (format: string, quiet = false) =>
  formatList(kind, items, { format, quiet, table: "{{.Name}}\t{{.ID}}", quietTemplate: "{{.ID}}" });

test("the default is a table with headers", () => {
  expect(list("")).toBe("NAME                  TEST ID\na                     1\na name that is long   22\n");
});
test("a table may have a template of its own", () => {
  expect(list('table {{.ID}}\\t{{upper .Name}}\\t{{.Label "com.example.my-key"}}').split("\n")[0]).toBe(
    "TEST ID   NAME                  my key",
  );
});
test("functions that change a text's length are for the headers too, those that change its letters are not", () => {
  expect(list("table {{lower .ID}} {{pad .Name 2 1}}|").split("\n")[0]?.replaceAll(/ +/g, " ")).toBe(
    "TEST ID NAME |",
  );
  expect(list("table {{pad .ID 2 3}}|").split("\n")[0]).toBe("  TEST ID   |");
});
test("json prints an object a line, escaped as Go escapes it", () => {
  expect(formatList(kind, [{ id: "<1>", name: "a" }], { format: "json", table: "" })).toBe(
    '{"ID":"\\u003c1\\u003e","Name":"a"}\n',
  );
});
test("quiet prints ids", () => expect(list("", true)).toBe("1\n22\n"));
test("a template prints a line a row", () =>
  expect(list("{{.Name}}:{{.ID}}")).toBe("a:1\na name that is long:22\n"));
test("an unknown field names the row's type", () => {
  expect(() => list("{{.Nope}}")).toThrow(
    'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.testContext',
  );
});

test("columns are as wide as their widest cell and three spaces, at least ten", () => {
  expect(alignTabs("A\tB\tC\nlong cell here\tx\ty")).toBe(
    "A                B         C\nlong cell here   x         y",
  );
});
test("columns are aligned as a text with tabs is", () => {
  const columns = [
    ["A", "long cell here", "x"],
    ["B", "", "yy"],
    ["C", "z", ""],
  ];
  const rows = [0, 1, 2].map((row) => columns.map((cells) => cells[row]).join("\t"));
  expect(alignColumns(columns)).toBe(alignTabs(rows.join("\n")));
  for (const odd of ["a\tb", "a\nb", "\u{1f433}"])
    expect(alignColumns([["A", odd], columns[0] ?? []])).toBeUndefined();
});
test("a field of whole columns is one for templates, too", () => {
  const columnKind: RowKind<{ id: string; name: string }> = {
    ...kind,
    columns: { ID: (list) => list.map(({ id }) => `<${id}>`) },
  };
  const fields = { ...kind.fields, ...oneByOne(columnKind.columns ?? {}) };
  const text = (format: string) =>
    formatList({ ...columnKind, fields }, items, { format, table: "{{.ID}}\t{{.Name}}" });
  expect(text("")).toBe("TEST ID   NAME\n<1>       a\n<22>      a name that is long\n");
  expect(text("{{upper .ID}} {{.ID}}")).toBe("<1> <1>\n<22> <22>\n");
  expect(text("{{.ID}} {{.Name}}")).toBe("<1> a\n<22> a name that is long\n");
});
test("published ports are told one by one, exposed neighbours as a range", () => {
  const ports = [
    { PrivatePort: 80, Type: "tcp", PublicPort: 8080, IP: "0.0.0.0" },
    { PrivatePort: 80, Type: "tcp", PublicPort: 8080, IP: "::" },
    { PrivatePort: 90, Type: "tcp" },
    { PrivatePort: 91, Type: "tcp" },
  ];
  expect(displayPorts(ports)).toBe("90-91/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp");
});
test("JSON is indented without touching its values", () => {
  expect(indentJson('{"a":[],"b":{"c":1e3,"d":"x\\"{,"},"n":12345678901234567890}', "  ")).toBe(
    '{\n  "a": [],\n  "b": {\n    "c": 1e3,\n    "d": "x\\"{,"\n  },\n  "n": 12345678901234567890\n}',
  );
});
test("long texts end in an ellipsis", () =>
  expect([ellipsis("abcdef", 4), ellipsis("abcd", 4)]).toEqual(["abc…", "abcd"]));
