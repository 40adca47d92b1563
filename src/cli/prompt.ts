import { CliError } from "./errors.ts";
import type { Session } from "./session.ts";
import { openInput, rawMode } from "./stream/input.ts";

/** Asks on stdout; anything but yes is a no. */
export async function confirm(session: Session, question: string): Promise<boolean> {
  session.write(`${question} [y/N] `);
  let answer = "";
  for await (const chunk of openInput()) {
    answer += Buffer.from(chunk).toString();
    if (answer.includes("\n")) break;
  }
  return /^y(es)?$/i.test(answer.split("\n", 1)[0]?.trim() ?? "");
}

/** Asks on stdout for a line. */
export async function ask(session: Session, question: string): Promise<string> {
  session.write(question);
  let answer = "";
  for await (const chunk of openInput()) {
    answer += Buffer.from(chunk).toString();
    if (answer.includes("\n")) break;
  }
  return answer.split("\n", 1)[0]?.replace(/\r$/, "") ?? "";
}

const keys = { interrupt: 3, end: 4, backspace: 8, delete: 127 };

/** Asks for a line that is not shown while it is typed. */
export async function askSecret(session: Session, question: string): Promise<string> {
  session.write(question);
  const restore = rawMode();
  const typed: number[] = [];
  try {
    for await (const chunk of openInput()) {
      for (const byte of chunk) {
        if (byte === keys.interrupt) throw new CliError("", 130);
        if (byte === 10 || byte === 13 || byte === keys.end) return Buffer.from(typed).toString("utf8");
        if (byte === keys.backspace || byte === keys.delete) typed.pop();
        else typed.push(byte);
      }
    }
    return Buffer.from(typed).toString("utf8");
  } finally {
    restore?.();
    session.write("\n");
  }
}
