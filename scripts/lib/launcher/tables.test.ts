import { expect, test } from "bun:test";
import { hostedCommands, hostedVariables } from "../../../src/cli/hosted/commands.ts";
import { launcherTables } from "./tables.ts";

test("the launcher's tables hold the client's lists, each ended by an empty string", () => {
  const tables = launcherTables("0.1.0-abc");
  expect(tables).toContain('static const char build_id[] = "0.1.0-abc";');
  expect(tables).toContain('static const char default_socket[] = "/run/berth.sock";');
  for (const command of hostedCommands) expect(tables).toContain(`"${command}" "\\0"`);
  expect(tables).toContain(`hosted_variable_count = ${hostedVariables.length},`);
  expect(tables).toContain('"HttpHeaders" "\\0"');
});

test("a word that would break out of its C string is refused", () => {
  for (const word of ["", "a\\0b", "a\nb", "é", 'a"b']) expect(() => launcherTables(word)).toThrow("tables");
});
