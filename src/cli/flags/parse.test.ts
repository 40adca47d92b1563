import { expect, test } from "bun:test";
import { ofProcess } from "../surroundings.ts";
import { bool, int, list, map, string } from "./flag.ts";
import { describeFlags } from "./help.ts";
import { parseFlags } from "./parse.ts";

const table = {
  detach: bool("detach,d", "Detach"),
  interactive: bool("interactive,i", "Interactive"),
  tty: bool("tty,t", "Terminal"),
  name: string("name", "Name"),
  memory: string("memory,m", "Memory"),
  env: list("env,e", "Environment"),
  last: int("last,n", "Last", -1),
  opt: map("opt,o", "Options"),
};
const parse = (words: string, interspersed = true) =>
  parseFlags(table, words.split(" "), interspersed, ofProcess);

test("long and short options take their value after = or as the next word", () => {
  expect(parse("--name=a --memory 1g -e A=1 -eB=2 -n5").values).toMatchObject({
    name: "a",
    memory: "1g",
    env: ["A=1", "B=2"],
    last: 5,
  });
});

test("short booleans combine, and may end in an option with a value", () => {
  expect(parse("-itm=5").values).toMatchObject({ interactive: true, tty: true, memory: "5" });
});

test("a boolean takes a value after = only", () => {
  const { values, args } = parse("-d=false --tty=1 true");
  expect(values).toMatchObject({ detach: false, tty: true });
  expect(args).toEqual(["true"]);
});

test("options stop at the first argument where a command wants that", () => {
  expect(parse("-i busybox -t --name x", false).args).toEqual(["busybox", "-t", "--name", "x"]);
  expect(parse("a -t b").args).toEqual(["a", "b"]);
});

test("-- ends the options", () => {
  expect(parse("-i -- -t --nosuch").args).toEqual(["-t", "--nosuch"]);
});

const refused: [string, string][] = [
  ["--nosuch", "unknown flag: --nosuch"],
  ["--env,e", "unknown flag: --env,e"],
  ["-ix", "unknown shorthand flag: 'x' in -x"],
  ["--name", "flag needs an argument: --name"],
  ["-im", "flag needs an argument: 'm' in -m"],
  ["--=x", "bad flag syntax: --=x"],
  [
    "--detach=maybe",
    'invalid argument "maybe" for "-d, --detach" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  ["-n x", 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
];
for (const [words, sentence] of refused) {
  test(`${words} is refused as pflag refuses it`, () => {
    expect(() => parse(words)).toThrow(sentence);
  });
}

test("maps keep the last value of a key", () => {
  expect(parse("-o a=1 -o b -o a=2").values["opt"]).toEqual({ a: "2", b: "" });
});

test("--help asks for help, wherever it stands before the arguments", () => {
  expect(parse("-i --help").help).toBe(true);
});

test("help is aligned, sorted and wrapped", () => {
  const text = describeFlags(
    { b: string("bb,b", "one two three four five six seven"), a: bool("aa", "first") },
    44,
  );
  expect(text).toBe(
    "      --aa          first\n  -b, --bb string   one two three four five\n                    six seven",
  );
});
