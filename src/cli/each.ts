import { CliError } from "./errors.ts";
import type { Session } from "./session.ts";

/** What `act` answers where it did nothing and the name is not to be printed. */
export const skipped = Symbol("skipped");

/** Does the same to every name, prints each name that worked, and ends with all the errors together. */
export async function each(
  session: Session,
  names: readonly string[],
  act: (name: string) => Promise<unknown>,
): Promise<number> {
  const settled = await Promise.allSettled(names.map(async (name) => act(name)));
  const errors: string[] = [];
  settled.forEach((result, index) => {
    if (result.status === "fulfilled") {
      if (result.value !== skipped) session.out(names[index] ?? "");
    } else errors.push((result.reason as Error).message);
  });
  if (errors.length > 0) throw new CliError(errors.join("\n"));
  return 0;
}
