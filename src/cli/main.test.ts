import { expect, test } from "bun:test";
import { main } from "./main.ts";
import { ofProcess } from "./surroundings.ts";

/** What a command line says on stderr, at a terminal or elsewhere. */
async function said(words: string, atTerminal: boolean): Promise<{ code: number; text: string }> {
  let text = "";
  const code = await main(words.split(" "), {
    ...ofProcess,
    terminal: () => (atTerminal ? { rows: 24, columns: 80 } : undefined),
    write: (_fd, data) => {
      text += String(data);
    },
  });
  return { code, text };
}

test.each([
  ["imagess", "images", 1],
  ["xyzzy", undefined, 1],
  ["doctr", "doctor", 1],
  ["netwrok", "network", 1],
  ["image inspct x", "inspect", 1],
  ["image xyz", undefined, 1],
  ["help inspct", "inspect", 1],
  ["help volume creat", "create", 1],
  ["run --nmae x busybox", "--name", 125],
  ["run --zzzz x busybox", undefined, 125],
  ["run -Z busybox", undefined, 125],
])("at a terminal `berth %s` is answered with what is nearest: %s", async (words, near, code) => {
  const told = await said(words, true);
  const plain = await said(words, false);
  expect(told.code).toBe(code);
  expect(plain.code).toBe(code);
  expect(plain.text).toMatch(/for more information\n$|^unknown help topic: /);
  expect(told.text).toBe(plain.text + (near === undefined ? "" : `(did you mean ${near}?)\n`));
});

test.each(["debug", "start", "volume snapshot"])("the help of %s fits the terminal", async (words) => {
  const { text } = await said(`${words} --help`, true);
  expect(text.split("\n").filter((line) => line.length > 79)).toEqual([]);
});

test.each(["bash", "zsh", "fish"])("completion for %s offers all that the help names", async (shell) => {
  const { text } = await said(`completion ${shell}`, false);
  for (const word of ["run", "network", "daemon", "doctor"])
    expect(text).toMatch(new RegExp(`\\b${word}\\b`));
});

test.each([
  ["container", 2, /^Usage: {2}berth container COMMAND\n/],
  ["container --help", 1, /^Usage: {2}berth container COMMAND\n/],
  ["container help", 2, /^berth: unknown command: berth container help\n/],
  ["help container", 1, /^Usage: {2}berth container COMMAND\n/],
  ["help image nope", 2, /^unknown help topic: nope\n$/],
])("`berth %s` answers on stream %s, as docker does", async (words, stream, text) => {
  const streams = ["", "", ""];
  await main(words.split(" "), {
    ...ofProcess,
    write: (fd, data) => {
      streams[fd] += String(data);
    },
  });
  expect(streams[stream]).toMatch(text);
  expect(streams[3 - stream]).toBe("");
});
