import { expect, test } from "bun:test";
import { bool, string } from "./flag.ts";
import { breakLine, describeFlags } from "./help.ts";

const table = {
  force: bool("force,f", "Remove it even if it runs (kills it)"),
  link: string("link", "Remove the link of that name"),
};

test("what an option does stands beside it, broken where the terminal ends", () => {
  expect(describeFlags(table, 48)).toBe(
    "  -f, --force         Remove it even if it runs\n" +
      "                      (kills it)\n" +
      "      --link string   Remove the link of that\n" +
      "                      name",
  );
});

test("on a narrow terminal it stands below", () => {
  expect(describeFlags(table, 39)).toBe(
    "  -f, --force\n" +
      "          Remove it even if it runs\n" +
      "          (kills it)\n" +
      "      --link string\n" +
      "          Remove the link of that name",
  );
});

test("a word that is too long for its line has one of its own", () => {
  expect(breakLine("a longer one", 4)).toEqual(["a", "longer", "one"]);
});
