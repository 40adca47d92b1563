import type { Session } from "./session.ts";
import { openInput } from "./stream/input.ts";

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
