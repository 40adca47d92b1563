import { expect, test } from "bun:test";
import { ofProcess } from "../surroundings.ts";
import { globalDefaults, globalFlags } from "./globals.ts";

test("an option that is not given has its default, whether or not the table was made", () => {
  const initial = Object.fromEntries(
    Object.entries(globalFlags(ofProcess)).map(([key, flag]) => [key, flag.initial]),
  );
  expect(initial).toEqual(globalDefaults(ofProcess));
});
