import { describe, expect, test } from "bun:test";
import { checkExecFolder, cleanSentence, createFailure, execFailure, exitCodeFor } from "./failure.ts";

const at = (command: string, cwd = "/") => ({ command, cwd });

describe("an exec that fails", () => {
  const begin = "OCI runtime exec failed: exec failed: unable to start container process: ";
  const cases: [string, string, number, string][] = [
    [
      "executable file `x` not found in $PATH: No such file or directory",
      "x",
      127,
      'exec: "x": executable file not found in $PATH',
    ],
    [
      "executable file `/x` not found in $PATH: No such file or directory",
      "/x",
      127,
      'exec: "/x": stat /x: no such file or directory',
    ],
    [
      "open executable: Operation not permitted",
      "/etc",
      126,
      'exec: "/etc": is a directory: permission denied',
    ],
    ["open executable: Permission denied", "/etc/passwd", 126, 'exec: "/etc/passwd": permission denied'],
    ["open executable: Operation not permitted", "", 127, 'exec: "": executable file not found in $PATH'],
  ];
  test.each(cases)("crun's %p for %p ends a client with %d", (stderr, command, exitCode, sentence) => {
    const failure = execFailure(`${stderr}\n`, at(command));
    expect(failure).toMatchObject({ kind: "invalid", exitCode, message: begin + sentence });
  });
});

test("a folder that is none gets Docker's hint about mounts", () => {
  const { message, exitCode } = createFailure(
    "chdir `/etc/passwd`: Not a directory",
    at("ls", "/etc/passwd"),
  );
  expect(exitCode).toBe(127);
  expect(message).toEndWith(
    'chdir to cwd ("/etc/passwd") set in config.json failed: not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type',
  );
});

test("runc's own sentence is told once, not wrapped again", () => {
  const stderr =
    'time="2026-01-01T00:00:00Z" level=error msg="runc create failed: unable to start container process: error during container init: exec: \\"x\\": executable file not found in $PATH"\n';
  expect(createFailure(stderr, at("x")).message).toBe(
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "x": executable file not found in $PATH',
  );
});

test.each([
  ["invalid rlimit `RLIMIT_BOGUS`", "wrong rlimit value: RLIMIT_BOGUS"],
  ["the sysctl `bogus.x` is not namespaced", 'sysctl "bogus.x" is not in a separate kernel namespace'],
])("what runc refuses before it starts anything is told as that: %s", (said, told) => {
  expect(createFailure(`crun: ${said}\n`, at("x")).message).toBe(
    `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ${told}`,
  );
});

test("anything else keeps its sentence and has no exit code of its own", () => {
  const failure = createFailure("writing file `/sys/fs/cgroup/x`: Invalid argument", at("x"));
  expect(failure).toMatchObject({ kind: "internal", exitCode: undefined });
  expect(failure.message).toEndWith("writing file `/sys/fs/cgroup/x`: invalid argument");
});

test("exit codes follow the words", () => {
  expect(exitCodeFor("x: Permission denied")).toBe(126);
  expect(exitCodeFor("no such file or directory")).toBe(127);
  expect(exitCodeFor("out of memory")).toBeUndefined();
});

test("an exec's folder is told by its whole path", () => {
  expect(() => checkExecFolder("/a")).not.toThrow();
  expect(() => checkExecFolder("rel")).toThrow("exec failed: Cwd must be an absolute path");
});

test("a time before the sentence is dropped", () =>
  expect(cleanSentence("2026-11-22T05:40:20.512667Z: exec x\n")).toBe("exec x"));
